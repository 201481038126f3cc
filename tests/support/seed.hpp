// The seed of a stress test's random numbers: printed when the test begins, for a hang or a crash shows no more, and to
// be had again with TANDEM_STRESS_SEED=<n>.
#ifndef TANDEM_TESTS_SUPPORT_SEED_HPP
#define TANDEM_TESTS_SUPPORT_SEED_HPP

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tandem::test {

/// The same for a whole run of a test program.
inline unsigned stress_seed() {
  static const unsigned seed = [] {
    // Read before a test has started threads.
    const char* text = std::getenv("TANDEM_STRESS_SEED");  // NOLINT(concurrency-mt-unsafe)
    return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : std::random_device()();
  }();
  return seed;
}

/// Names the seed in every failure of its scope.
class seed_scope {
 public:
  seed_scope()
      : trace_(__FILE__, __LINE__, "again with TANDEM_STRESS_SEED=" + std::to_string(stress_seed())) {
    std::fprintf(stderr, "TANDEM_STRESS_SEED=%u\n", stress_seed());
  }

  /// A generator for the thread number `i`: as many as one likes, all from the one seed.
  [[nodiscard]] static std::mt19937 generator(unsigned i = 0) {
    std::seed_seq seeds{stress_seed(), i};
    return std::mt19937(seeds);
  }

 private:
  testing::ScopedTrace trace_;
};

}  // namespace tandem::test

#endif
