// Threads submit a million empty tasks between them and get every future: all at once, and in windows of 1000. README.md
// tells what a task costs.
#ifndef TANDEM_BENCH_SUBMIT_GET_WORKLOAD_HPP
#define TANDEM_BENCH_SUBMIT_GET_WORKLOAD_HPP

#include <algorithm>
#include <cstddef>
#include <vector>

#include "bench/producers.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace submit_get {

using bench::figures;

/// Submits `tasks` tasks and gets their futures, `window` at a time.
template <class Pool>
void submit_and_get(Pool& pool, std::size_t tasks, std::size_t window) {
  std::vector<decltype(pool.submit([] {}))> futures;
  futures.reserve(std::min(tasks, window));
  for (std::size_t done = 0; done < tasks; done += window) {
    futures.clear();
    const std::size_t count = std::min(window, tasks - done);
    for (std::size_t i = 0; i < count; ++i) futures.push_back(pool.submit([] {}));
    for (auto& future : futures) future.get();
  }
}

/// ns per task with `producers` threads that submit.
template <class Pool>
double with_producers(Pool& pool, std::size_t producers, std::size_t tasks, std::size_t window) {
  const double time =
      bench::time_of_producers(producers, [&] { submit_and_get(pool, tasks / producers, window); });
  return time / static_cast<double>(tasks / producers * producers);
}

/// A library that cannot have so many tasks unfinished does fewer, and at most `largest_batch` at a time.
template <class Pool>
figures measure(const bench::conditions& c, std::size_t tasks, std::size_t largest_batch) {
  bench::warm<Pool> pool(c.workers);
  // In a fresh process each task's memory comes from the kernel; behind it, from what the library or the heap has kept. So
  // this is a figure of its own, and the others have had it.
  const double first = with_producers(pool, 1, tasks, largest_batch);
  return {with_producers(pool, 1, tasks, largest_batch), with_producers(pool, 1, tasks, 1000),
          with_producers(pool, 2, tasks, largest_batch), with_producers(pool, 4, tasks, largest_batch),
          first};
}

template <class Pool>
figures measure(const bench::conditions& c) {
  const std::size_t tasks = c.pick<std::size_t>(1'000'000, 10'000);
  return measure<Pool>(c, tasks, tasks);
}

}  // namespace submit_get

#endif
