// The part that is the same for all fork-join workloads: run a little, then with the clock, and look at the result. The pools
// are warm: all their workers have run something.
#ifndef TANDEM_BENCH_FORK_JOIN_HPP
#define TANDEM_BENCH_FORK_JOIN_HPP

#include <stdexcept>
#include <string>

#include "bench/figures.hpp"
#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"

namespace bench {

/// Milliseconds of `solve()`, behind a `warm_up()`.
/// @throws std::runtime_error if what it returns is not `expected`
template <class Result, class WarmUp, class Solve>
[[nodiscard]] figures timed(const Result& expected, WarmUp warm_up, Solve solve) {
  warm_up();
  const stopwatch watch;
  const Result result = solve();
  const double time = watch.milliseconds();
  if (result != expected)
    throw std::runtime_error("wrong result: " + std::to_string(result) + " instead of " +
                             std::to_string(expected));
  return {time};
}

}  // namespace bench

#endif
