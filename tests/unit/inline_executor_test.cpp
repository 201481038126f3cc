// inline_executor: what is its own, beside the contract.
#include <tandem/inline_executor.hpp>

#include <atomic>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

namespace {

TEST(InlineExecutor, ShutdownWaitsForTheTasksOfOtherThreads) {
  for (int round = 0; round < 200; ++round) {
    tandem::inline_executor pool;
    std::latch entered(1);
    std::atomic<bool> ended{false};
    std::thread other([&] {
      (void)pool.submit([&] {
        entered.count_down();
        for (int i = 0; i < 100; ++i) std::this_thread::yield();
        ended = true;
      });
    });
    entered.wait();
    pool.shutdown();
    EXPECT_TRUE(ended);
    EXPECT_EQ(pool.stats().finished, 1);
    other.join();
  }
}

TEST(InlineExecutor, ShutdownOfAnotherOneInATaskIsFine) {
  tandem::inline_executor outer;
  tandem::inline_executor inner;
  outer
      .submit(
          [&] { inner.submit([&] { EXPECT_THROW(outer.shutdown(), tandem::invalid_state_error); }).get(); })
      .get();
  outer.submit([&] { inner.shutdown(); }).get();
  EXPECT_THROW((void)inner.submit([] {}), tandem::shutdown_error);
  outer.submit([&] { outer.shutdown({.wait = false}); }).get();
  EXPECT_THROW((void)outer.submit([] {}), tandem::shutdown_error);
}

}  // namespace
