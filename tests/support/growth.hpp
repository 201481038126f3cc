// How an operation's time grows with the number of things it is given: what a test of complexity looks at, since
// absolute times say little on a busy machine.
#ifndef TANDEM_TESTS_SUPPORT_GROWTH_HPP
#define TANDEM_TESTS_SUPPORT_GROWTH_HPP

#include <algorithm>
#include <chrono>

#include "support/watchdog.hpp"

namespace tandem::test {

/// The time of `run(8 n)` over that of `run(n)`, each the best of three: about 8 if linear, 64 if quadratic.
template <class Run>
[[nodiscard]] double growth_over_eight(Run run) {
  const int n = 10'000 / slowness();
  const auto best = [&run](int size) {
    auto shortest = std::chrono::duration<double>::max();
    for (int i = 0; i < 3; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      run(size);
      shortest = std::min<std::chrono::duration<double>>(shortest, std::chrono::steady_clock::now() - begin);
    }
    return shortest;
  };
  const auto small = best(n);
  return best(8 * n) / small;
}

}  // namespace tandem::test

#endif
