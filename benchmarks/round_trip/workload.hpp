// submit() to the return of get(), one task at a time: back to back (the next follows at once), and after the caller has
// slept for 1 ms, so that workers sleep too.
#ifndef TANDEM_BENCH_ROUND_TRIP_WORKLOAD_HPP
#define TANDEM_BENCH_ROUND_TRIP_WORKLOAD_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace round_trip {

using bench::figures;

figures run_futex(const bench::conditions& c);

/// Where `part` of the sorted `times` (ns) are below, in us.
inline double quantile(const std::vector<double>& times, double part) {
  const auto at = static_cast<std::size_t>(part * static_cast<double>(times.size()));
  return times[std::min(at, times.size() - 1)] / 1000;
}

/// Times of `trip()` in ns, sorted; a pause of `pause` before each.
template <class Trip>
std::vector<double> sorted_times(std::size_t trips, std::chrono::milliseconds pause, Trip trip) {
  std::vector<double> times(trips);
  for (double& time : times) {
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    const bench::stopwatch watch;
    trip();
    time = watch.nanoseconds();
  }
  std::sort(times.begin(), times.end());
  return times;
}

template <class Trip>
figures measure_trips(const bench::conditions& c, Trip trip) {
  using std::chrono::milliseconds;
  for (int i = 0; i < 100; ++i) trip();
  const std::vector<double> hot = sorted_times(c.pick<std::size_t>(50'000, 1000), milliseconds(0), trip);
  // Of so few the worst in a thousand would be two trips.
  const std::vector<double> rested = sorted_times(c.pick<std::size_t>(2000, 100), milliseconds(1), trip);
  return {quantile(hot, 0.5), quantile(hot, 0.99), quantile(hot, 0.999), quantile(rested, 0.5),
          quantile(rested, 0.99)};
}

template <class Pool>
figures measure(const bench::conditions& c) {
  bench::warm<Pool> pool(c.workers);
  return measure_trips(c, [&] { pool.submit([] {}).get(); });
}

}  // namespace round_trip

#endif
