// How an exception, or a cancellation, reaches what runs: through all forks around it, also those that the caller runs itself.
#include <tandem/parallel_for.hpp>
#include <tandem/parallel_reduce.hpp>
#include <tandem/task_group.hpp>

#include <tandem/error.hpp>
#include <tandem/future.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <latch>
#include <limits>
#include <ranges>
#include <stdexcept>
#include <thread>

namespace {

using tandem::parallel_for;
using tandem::parallel_invoke;
using tandem::parallel_reduce;
using tandem::task_group;
using tandem::task_group_status;
using tandem::thread_pool;

// Functions that have all begun when one of them fails.
class failing_together {
 public:
  explicit failing_together(int n) : begun_(n) {}
  void run_until_asked_to_stop() {
    begun_.arrive_and_wait();
    while (!tandem::this_task::stop_requested()) std::this_thread::yield();
  }
  void fail() {
    begun_.arrive_and_wait();
    throw std::out_of_range("one");
  }

 private:
  std::latch begun_;
};

TEST(ForkJoinCancel, AFunctionsExceptionAsksAllOthersToStop) {
  thread_pool pool({.max_workers = 4});
  for (int failing = 0; failing < 4; ++failing) {
    failing_together scene(4);
    const auto f = [&](int i) { i == failing ? scene.fail() : scene.run_until_asked_to_stop(); };
    EXPECT_THROW(parallel_invoke(
                     pool, [&] { f(0); }, [&] { f(1); }, [&] { f(2); }, [&] { f(3); }),
                 std::out_of_range)
        << failing;
  }
}

TEST(ForkJoinCancel, AFunctionsExceptionReachesWhatTheOthersHaveForked) {
  thread_pool pool({.max_workers = 4});
  failing_together scene(4);
  const auto until_stopped = [&] { scene.run_until_asked_to_stop(); };
  EXPECT_THROW(
      parallel_invoke(
          pool,
          [&] { parallel_invoke([&] { parallel_invoke(until_stopped, until_stopped); }, until_stopped); },
          [&] { scene.fail(); }),
      std::out_of_range);
}

TEST(ForkJoinCancel, WhatGivesUpForAnExceptionDoesNotHideIt) {
  thread_pool pool({.max_workers = 2});
  failing_together scene(2);
  EXPECT_THROW(parallel_invoke(
                   pool,
                   [&] {
                     scene.run_until_asked_to_stop();
                     parallel_for(0, 10, [](int) { ADD_FAILURE(); });  // throws cancelled_error
                   },
                   [&] { scene.fail(); }),
               std::out_of_range);
}

TEST(ForkJoinCancel, OfALoopReachesAllWhoTakePart) {
  thread_pool pool({.max_workers = 4});
  for (int failing = 0; failing < 4; ++failing) {
    failing_together scene(4);
    EXPECT_THROW(parallel_for(pool, {.chunk_size = 1}, std::views::iota(0, 4),
                              [&](int i) { i == failing ? scene.fail() : scene.run_until_asked_to_stop(); }),
                 std::out_of_range)
        << failing;
  }
}

TEST(ForkJoinCancel, ReduceThatThrowsEndsTheLoop) {
  thread_pool pool({.max_workers = 1});
  int transformed = 0;
  EXPECT_THROW((void)parallel_reduce(
                   pool, {.chunk_size = 1}, std::views::iota(0, 1000), 0,
                   [](int, int) -> int { throw std::out_of_range("reduce"); },
                   [&](int i) {
                     ++transformed;
                     return i;
                   }),
               std::out_of_range);
  EXPECT_EQ(transformed, 2) << "those of the first sum";
}

TEST(ForkJoinCancel, LoopMayHaveAsManyItemsAsThereAreNumbers) {
  thread_pool pool({.max_workers = 1});
  int called = 0;
  EXPECT_THROW(parallel_for(pool, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                            [&](std::uint64_t i) {
                              ++called;
                              EXPECT_EQ(i, 0U);
                              throw std::out_of_range("the first");
                            }),
               std::out_of_range);
  EXPECT_EQ(called, 1);
}

// Cancelled before, and not this one: nobody who forks later takes it for its own affair.
TEST(ForkJoinCancel, OfOneGroupIsNobodyElsesAffair) {
  thread_pool pool({.max_workers = 1});
  pool.submit([] {
        parallel_invoke(
            [] {
              task_group other;
              other.run([] { ADD_FAILURE(); });
              other.cancel();
              int ran = 0;
              parallel_invoke([&] { ++ran; }, [&] { ++ran; });
              EXPECT_EQ(ran, 2);
              EXPECT_FALSE(tandem::this_task::stop_requested());
              EXPECT_EQ(other.wait(), task_group_status::cancelled);
            },
            [] {});
      })
      .get();
}

// The callback is nobody's branch, whoever ends what it waits for.
TEST(ForkJoinCancel, ACallbackIsNotOfTheGroupWhoseTaskCallsIt) {
  thread_pool pool({.max_workers = 2});
  tandem::promise<int> p;
  auto done = p.get_future();
  std::atomic<int> calls{0};
  std::atomic<bool> asked_to_stop{true};
  done.on_done([&] {
    asked_to_stop = tandem::this_task::stop_requested();
    parallel_for(0, 100, [&](int) { ++calls; });
  });
  pool.submit([&] {
        task_group group;
        group.run([&] {
          group.cancel();
          EXPECT_TRUE(tandem::this_task::stop_requested());
          p.set_value(1);
          EXPECT_TRUE(tandem::this_task::stop_requested());
        });
        EXPECT_EQ(group.wait(), task_group_status::cancelled);
      })
      .get();
  EXPECT_EQ(calls, 100);
  EXPECT_FALSE(asked_to_stop);
}

}  // namespace
