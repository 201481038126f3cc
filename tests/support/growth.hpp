// How an operation's cost grows with the number of things it is given: what a test of complexity looks at. Counted in
// this process's CPU time, for on a busy machine the time on the clock says little.
#ifndef TANDEM_TESTS_SUPPORT_GROWTH_HPP
#define TANDEM_TESTS_SUPPORT_GROWTH_HPP

#include <algorithm>
#include <ctime>
#include <limits>

#include "support/watchdog.hpp"

namespace tandem::test {

/// The CPU time of `run(8 n)` over that of `run(n)`, each the best of three: about 8 if linear, 64 if quadratic.
template <class Run>
[[nodiscard]] double growth_over_eight(Run run) {
  const int n = 10'000 / slowness();
  const auto best = [&run](int size) {
    std::clock_t shortest = std::numeric_limits<std::clock_t>::max();
    for (int i = 0; i < 3; ++i) {
      const std::clock_t begin = std::clock();
      run(size);
      shortest = std::min(shortest, std::clock() - begin);
    }
    return shortest;
  };
  const auto small = static_cast<double>(best(n));
  return static_cast<double>(best(8 * n)) / small;
}

}  // namespace tandem::test

#endif
