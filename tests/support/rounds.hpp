// How long a stress test goes on: less where a build is slow, and as long as the environment says.
#ifndef TANDEM_TESTS_SUPPORT_ROUNDS_HPP
#define TANDEM_TESTS_SUPPORT_ROUNDS_HPP

#include <algorithm>
#include <cstdlib>

#include "support/watchdog.hpp"

namespace tandem::test {

/// The number in the environment variable `name`, or `preset`. To be read before a test has started threads.
inline long setting(const char* name, long preset) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? preset : std::atol(text);
}

/// TANDEM_STRESS_ROUNDS, or `preset` in a build that is not slow.
inline int rounds(int preset) {
  return static_cast<int>(setting("TANDEM_STRESS_ROUNDS", std::max(1, preset / slowness())));
}

/// TANDEM_SOAK_OPERATIONS, or `preset` in a build that is not slow.
inline long soak_operations(long preset) {
  return setting("TANDEM_SOAK_OPERATIONS", std::max(1L, preset / slowness()));
}

}  // namespace tandem::test

#endif
