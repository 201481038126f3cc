#include "bench/busy_work.hpp"

#include <algorithm>
#include <atomic>

#include "bench/stopwatch.hpp"

namespace bench {
namespace {

std::atomic<std::uint64_t> sink{0};  // keeps the work from being optimized away

}  // namespace

void busy_work(std::int64_t steps) {
  std::uint64_t x = 88172645463325252U;
  for (std::int64_t i = 0; i < steps; ++i) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
  }
  if (x == 0) sink.store(x, std::memory_order_relaxed);  // never; but the compiler does not know
}

double measure_steps_per_microsecond() {
  constexpr std::int64_t steps = 200'000;
  double best = 1e18;
  for (int i = 0; i < 10; ++i) {
    const stopwatch watch;
    busy_work(steps);
    best = std::min(best, watch.nanoseconds());
  }
  return static_cast<double>(steps) / (best / 1000);
}

}  // namespace bench
