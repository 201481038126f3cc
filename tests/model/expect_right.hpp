// How a model's test explores a scene.
#ifndef TANDEM_TESTS_MODEL_EXPECT_RIGHT_HPP
#define TANDEM_TESTS_MODEL_EXPECT_RIGHT_HPP

#include "model/explorer.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>

namespace tandem::model {

/// Runs all executions with at most `preemptions`, which must be no more than `most`, and then `at_random` others.
inline void expect_right(const std::function<void()>& scene, int preemptions, std::uint64_t at_random,
                         std::uint64_t most = 3'000'000) {
  const verdict all = explore(scene, {.preemptions = preemptions, .executions = most});
  ASSERT_TRUE(all.ok) << all.message << "\n" << all.trace;
  EXPECT_TRUE(all.complete) << all.executions << " executions were not enough";
  const verdict some = explore(scene, {.executions = at_random});
  ASSERT_TRUE(some.ok) << some.message << "\n" << some.trace;
  std::printf("%d preemptions: %llu executions\n", preemptions,
              static_cast<unsigned long long>(all.executions));
}

}  // namespace tandem::model

#endif
