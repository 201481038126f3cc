// What a pool costs that has a little to do all the time. The whole process counts, also what submit() and the wake-up
// take in the thread that submits; what this thread takes for its own sleeping is measured before and subtracted.
#ifndef TANDEM_BENCH_TICKING_WORKLOAD_HPP
#define TANDEM_BENCH_TICKING_WORKLOAD_HPP

#include <chrono>
#include <optional>
#include <thread>

#include "bench/usage.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace ticking {

using bench::figures;

/// What the process uses while `tick()` is called each millisecond.
template <class Tick>
bench::usage used_by(int ticks, Tick tick) {
  const bench::usage before = bench::usage_of_process();
  auto next = std::chrono::steady_clock::now();
  for (int i = 0; i < ticks; ++i) {
    next += std::chrono::milliseconds(1);
    std::this_thread::sleep_until(next);
    tick();
  }
  return bench::usage_of_process() - before;
}

template <class Pool>
figures measure(const bench::conditions& c) {
  const int ticks = c.pick(5000, 500);
  // Before there is a pool: one that looks for work while it is idle must not get that for nothing.
  const bench::usage baseline = used_by(ticks, [] {});
  bench::warm<Pool> pool(c.workers);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto submit = [&] { return pool.submit([] {}); };
  std::optional<decltype(submit())> last(submit());
  const bench::usage used = used_by(ticks, [&] {
    last->get();
    last.emplace(submit());
  });
  last->get();
  const bench::usage of_pool = used - baseline;
  figures all{of_pool.cpu_seconds * 1e6 / ticks, of_pool.switches() / ticks};
  // The kernel does not count a thread's last switch, and here each task is a thread.
  if constexpr (requires { typename Pool::threads_end_with_tasks; }) all.back().reset();
  return all;
}

}  // namespace ticking

#endif
