// Tasks whose lengths differ a hundredfold: whether a pool keeps all workers busy to the end. The ideal is the time that
// one thread takes for the same work, measured in the same run, divided by the workers, but not less than the longest task.
#ifndef TANDEM_BENCH_SKEWED_WORKLOAD_HPP
#define TANDEM_BENCH_SKEWED_WORKLOAD_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "bench/busy_work.hpp"
#include "bench/countdown.hpp"
#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace skewed {

using bench::figures;

/// Steps of each task; the same in every run.
inline std::vector<std::int64_t> lengths(const bench::conditions& c) {
  std::mt19937 random(20240229);
  std::vector<std::int64_t> all(c.pick<std::size_t>(1000, 50));
  for (std::int64_t& one : all) {
    const double part = static_cast<double>(random()) / static_cast<double>(std::mt19937::max());
    one = static_cast<std::int64_t>(c.steps_per_microsecond * 10 * std::pow(100, part));
  }
  return all;
}

/// ns. The best of three runs of the work: with what disturbs one thread, every pool would look better than it is.
inline double ideal_time(const std::vector<std::int64_t>& steps, int workers) {
  double total = std::numeric_limits<double>::max();
  for (int run = 0; run < 3; ++run) {
    const bench::stopwatch watch;
    for (const std::int64_t n : steps) bench::busy_work(n);
    total = std::min(total, watch.nanoseconds());
  }
  const auto all = static_cast<double>(std::accumulate(steps.begin(), steps.end(), std::int64_t{0}));
  const auto longest = static_cast<double>(*std::max_element(steps.begin(), steps.end()));
  return std::max(total / workers, total * longest / all);
}

template <class Pool>
figures measure(const bench::conditions& c) {
  const std::vector<std::int64_t> steps = lengths(c);
  const double ideal = ideal_time(steps, c.workers);
  bench::countdown left(steps.size());
  bench::warm<Pool> pool(c.workers);
  std::vector<decltype(pool.submit([] {}))> futures;
  futures.reserve(steps.size());
  const bench::stopwatch watch;
  for (const std::int64_t n : steps) {
    futures.push_back(pool.submit([n, &left] {
      bench::busy_work(n);
      left.one_done();
    }));
  }
  left.wait();
  const double makespan = watch.nanoseconds();
  for (auto& future : futures) future.get();
  return {makespan / ideal};
}

}  // namespace skewed

#endif
