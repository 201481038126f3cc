// What an idle pool costs: of all threads but the one that sleeps meanwhile and looks at the counters.
#ifndef TANDEM_BENCH_IDLE_WORKLOAD_HPP
#define TANDEM_BENCH_IDLE_WORKLOAD_HPP

#include <algorithm>
#include <chrono>
#include <thread>

#include "bench/usage.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace idle {

using bench::figures;

template <class Pool>
figures measure(const bench::conditions& c) {
  bench::warm<Pool> pool(c.workers);
  // For those that look for work a while before they sleep.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto used_by_others = [] { return bench::usage_of_process() - bench::usage_of_this_thread(); };
  const bench::usage before = used_by_others();
  std::this_thread::sleep_for(std::chrono::seconds(c.pick(10, 1)));
  const bench::usage used = used_by_others() - before;
  // The two counters are not read at the same moment: without any use they may differ by some microseconds.
  return {std::max(0.0, used.cpu_seconds * 1000), used.switches()};
}

}  // namespace idle

#endif
