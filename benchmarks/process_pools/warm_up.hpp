// What the workloads of process_pool share: how it is made ready for the clock, and the tasks.
#ifndef TANDEM_BENCH_PROCESS_POOLS_WARM_UP_HPP
#define TANDEM_BENCH_PROCESS_POOLS_WARM_UP_HPP

#include <unistd.h>
#include <tandem/process_pool.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

namespace process_pools {

inline int add_one(int x) { return x + 1; }

/// When and where a task has begun: steady_clock is the same in all processes.
struct beginning {
  std::int64_t nanoseconds = 0;
  int pid = 0;
};

inline beginning begin_and_stay(std::int64_t milliseconds) {
  const beginning here{std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count(),
                       getpid()};
  if (milliseconds > 0) std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return here;
}

/// Runs a task on each of its `workers` workers at the same time, and tells when the last one has begun. Each of them takes
/// 50 ms: long enough for all workers to be started.
/// @throws std::runtime_error if that was not long enough
inline std::int64_t last_of_all_to_begin(tandem::process_pool& pool, int workers) {
  std::vector<tandem::future<beginning>> tasks;
  for (int i = 0; i < workers; ++i) tasks.push_back(pool.submit(begin_and_stay, 50));
  std::vector<int> pids;
  std::int64_t last = 0;
  for (auto& task : tasks) {
    const beginning began = task.get();
    pids.push_back(began.pid);
    last = std::max(last, began.nanoseconds);
  }
  std::sort(pids.begin(), pids.end());
  if (std::adjacent_find(pids.begin(), pids.end()) != pids.end())
    throw std::runtime_error("a worker took two tasks: the machine is too busy");
  return last;
}

/// When this returns, all workers are there, and have run something.
inline void warm_up(tandem::process_pool& pool, int workers) {
  last_of_all_to_begin(pool, workers);
  for (int batch = 0; batch < 10; ++batch) static_cast<void>(pool.map(add_one, std::vector<int>(100)));
  for (int i = 0; i < 1000; ++i) static_cast<void>(pool.submit(add_one, i).get());
}

/// A figure is worth nothing if what was computed is wrong.
inline void check(bool right) {
  if (!right) throw std::runtime_error("wrong result");
}

}  // namespace process_pools

#endif
