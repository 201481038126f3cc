// More workers than CPUs: what it costs in comparison with as many as CPUs. The thread that submits sleeps until all tasks
// have run, and gets the futures when the clock has stopped: else it would be one more thread that runs all the time.
#ifndef TANDEM_BENCH_OVERSUBSCRIBED_WORKLOAD_HPP
#define TANDEM_BENCH_OVERSUBSCRIBED_WORKLOAD_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/busy_work.hpp"
#include "bench/countdown.hpp"
#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"
#include "compare/backend.hpp"

namespace oversubscribed {

using bench::figures;

/// Milliseconds.
template <class Pool>
double time_with(int workers, std::size_t tasks, std::int64_t steps) {
  bench::countdown left(tasks);
  bench::warm<Pool> pool(workers);
  std::vector<decltype(pool.submit([] {}))> futures;
  futures.reserve(tasks);
  const bench::stopwatch watch;
  for (std::size_t i = 0; i < tasks; ++i) {
    futures.push_back(pool.submit([steps, &left] {
      bench::busy_work(steps);
      left.one_done();
    }));
  }
  left.wait();
  const double time = watch.milliseconds();
  for (auto& future : futures) future.get();
  return time;
}

template <class Pool>
figures measure(const bench::conditions& c) {
  const std::size_t tasks = c.pick<std::size_t>(100'000, 2000);
  const auto steps = static_cast<std::int64_t>(5 * c.steps_per_microsecond);
  const int cpus = compare::usable_cpus();
  double fitting = 0;
  double many = 0;
  // Each of them once before and once behind the other, so that neither gains if the machine gets slower or faster.
  for (const bool is_fitting : {true, false, false, true})
    (is_fitting ? fitting : many) += time_with<Pool>(is_fitting ? cpus : 8 * cpus, tasks, steps) / 2;
  return {many / fitting, many, fitting};
}

}  // namespace oversubscribed

#endif
