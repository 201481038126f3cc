// A worker is killed: how long until the next task begins on its place. A pool of one worker, so that nobody else can take it.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "bench/workloads.hpp"
#include "process_pools/python.hpp"
#include "process_pools/warm_up.hpp"

namespace {

using process_pools::begin_and_stay;

std::int64_t now() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Once>
double median_milliseconds(std::size_t runs, Once once) {
  std::vector<double> all(runs);
  for (double& one : all) one = static_cast<double>(once()) / 1e6;
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(runs / 2), all.end());
  return all[runs / 2];
}

std::int64_t killed_in_a_task(tandem::process_pool& pool) {
  const int pid = pool.submit(begin_and_stay, 0).get().pid;
  auto lost = pool.submit(begin_and_stay, 100'000);
  auto next = pool.submit(begin_and_stay, 0);
  while (pool.stats().running == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  const std::int64_t killed = now();
  kill(pid, SIGKILL);
  const std::int64_t began = next.get().nanoseconds;
  try {
    lost.get();
    process_pools::check(false);
  } catch (const tandem::worker_died_error&) {}
  return began - killed;
}

std::int64_t killed_idle(tandem::process_pool& pool) {
  const int pid = pool.submit(begin_and_stay, 0).get().pid;
  std::this_thread::sleep_for(
      std::chrono::milliseconds(1));  // else it may still look for its next task, and take it
  const std::int64_t killed = now();
  kill(pid, SIGKILL);
  return pool.submit(begin_and_stay, 0).get().nanoseconds - killed;
}

bench::figures run_tandem(const bench::conditions& c) {
  tandem::process_pool pool({.max_workers = 1});
  process_pools::warm_up(pool, 1);
  const auto runs = c.pick<std::size_t>(101, 5);
  return {median_milliseconds(runs, [&] { return killed_in_a_task(pool); }),
          median_milliseconds(runs, [&] { return killed_idle(pool); })};
}

}  // namespace

bench::workload bench::process_recovery(const conditions& c) {
  using enum process_pools::python_library;
  workload work{
      .name = "process_recovery",
      .title =
          "from SIGKILL of the only worker until the next task begins (Python's executors: in a new one)",
      .metrics = {{"killed while it runs a task", "ms"}, {"killed while idle", "ms"}},
      .contestants = {{"tandem", [c] { return run_tandem(c); }}},
      .reference = "tandem",
      .rounds = 3};
  // Not mpi4py: all its processes end with the one.
  process_pools::add_python(work, c, {executor, pool, joblib});
  return work;
}
