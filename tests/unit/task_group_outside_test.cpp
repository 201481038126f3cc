// task_group with tasks from other threads than that of the function whose variable it is: these are submitted.
#include <tandem/task_group.hpp>

#include <tandem/error.hpp>
#include <tandem/parallel_for.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "support/gate.hpp"

namespace {

using tandem::task_group;
using tandem::task_group_status;
using tandem::thread_pool;
using tandem::test::gate;

TEST(TaskGroupOutside, BrokenPoolIsTold) {
  thread_pool pool({.max_workers = 1, .initializer = [] { throw std::runtime_error("no"); }});
  task_group group(pool);
  int ran = 0;
  try {
    group.run([&] { ++ran; });
  } catch (const tandem::broken_pool_error&) {
    return;  // it knew that already
  }
  EXPECT_THROW(group.wait(), tandem::broken_pool_error);
  EXPECT_EQ(ran, 0);
}

TEST(TaskGroupOutside, ExceptionAsksTheOthersToStop) {
  thread_pool pool({.max_workers = 2});
  task_group group(pool);
  std::latch both(2);
  group.run([&] {
    both.arrive_and_wait();
    while (!tandem::this_task::stop_requested()) std::this_thread::yield();
  });
  group.run([&] {
    both.arrive_and_wait();
    throw std::out_of_range("first");
  });
  EXPECT_THROW(group.wait(), std::out_of_range);
}

TEST(TaskGroupOutside, CancelledOneTakesNothingUntilItIsAwaited) {
  thread_pool pool({.max_workers = 2});
  task_group group(pool);
  int ran = 0;
  group.run([] {});
  group.cancel();
  group.run([&] { ++ran; });
  EXPECT_EQ(group.wait(), task_group_status::cancelled);
  EXPECT_EQ(ran, 0);
  group.run([&] { ++ran; });
  EXPECT_EQ(group.wait(), task_group_status::complete);
  EXPECT_EQ(ran, 1);
}

// What it destroys may use the group.
TEST(TaskGroupOutside, CancelCallsTheUsersCodeWithoutALock) {
  thread_pool pool({.max_workers = 1});
  task_group group(pool);
  gate hold;
  std::latch holds(1);
  group.run([&] {
    holds.count_down();
    hold.wait();
  });
  holds.wait();
  bool told = false;
  group.run([keep = std::shared_ptr<int>(new int(1), [&](const int* p) {
               delete p;
               group.cancel();
               told = true;
             })] { static_cast<void>(keep); });
  group.cancel();
  EXPECT_TRUE(told);
  hold.open();
  EXPECT_EQ(group.wait(), task_group_status::cancelled);
}

TEST(TaskGroupOutside, WhatATaskHasAnotherThreadAddIsAwaitedToo) {
  thread_pool pool({.max_workers = 2});
  pool.submit([&] {
        task_group group;
        std::atomic<int> ran{0};
        group.run([&] { std::thread([&] { group.run([&] { ++ran; }); }).join(); });
        EXPECT_EQ(group.wait(), task_group_status::complete);
        EXPECT_EQ(ran, 1);
      })
      .get();
}

TEST(TaskGroupOutside, OnTheHeapItMayBeAwaitedAnywhereAndOutliveTheTask) {
  thread_pool pool({.max_workers = 1});
  std::unique_ptr<task_group> group;
  std::atomic<int> ran{0};
  pool.submit([&] {
        group = std::make_unique<task_group>();
        for (int i = 0; i < 3; ++i) group->run([&] { ++ran; });
      })
      .get();
  EXPECT_EQ(group->wait(), task_group_status::complete);
  EXPECT_EQ(ran, 3);
}

TEST(TaskGroupOutside, WithoutAPoolALostExceptionEndsNothing) {
  testing::internal::CaptureStderr();
  {
    task_group group;
    group.run([] { throw std::runtime_error("nobody waits"); });
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "tandem: exception in a task of a task_group, ignored: nobody waits\n");
}

TEST(TaskGroupOutside, RunAndWaitWithinACancelledOneThrows) {
  thread_pool pool({.max_workers = 1});
  pool.submit([] {
        task_group outer;
        int called = 0;
        outer.run([&] {
          outer.cancel();
          task_group inner;
          EXPECT_THROW(inner.run_and_wait([&] { ++called; }), tandem::cancelled_error);
        });
        EXPECT_EQ(outer.wait(), task_group_status::cancelled);
        EXPECT_EQ(called, 0);
      })
      .get();
}

TEST(TaskGroupOutside, LoopOfATaskThatIsAwaitedWithinACancelledOneGoesOn) {
  thread_pool pool({.max_workers = 1});
  pool.submit([&] {
        task_group outer;
        outer.run([&] {
          std::atomic<int> called{0};
          auto other = pool.submit([&] { tandem::parallel_for(0, 100, [&](int) { ++called; }); });
          outer.cancel();
          other.get();
          EXPECT_EQ(called, 100);
        });
        outer.wait();
      })
      .get();
}

// Worker 0 holds a lock and waits for a function that worker 1 runs. What that adds to a group of somebody else wants the lock:
// worker 0 must not run it meanwhile.
TEST(TaskGroupOutside, WhoWaitsUnderALockRunsNothingOfOtherGroups) {
  for (int round = 0; round < 50; ++round) {
    thread_pool pool({.max_workers = 2, .max_spare_workers = 0});
    task_group others(pool);
    std::mutex mutex;
    pool.submit([&] {
          const std::lock_guard lock(mutex);
          std::latch both(2);
          tandem::parallel_invoke([&] { both.arrive_and_wait(); },
                                  [&] {
                                    both.arrive_and_wait();
                                    for (int i = 0; i < 10; ++i)
                                      others.run([&] { const std::lock_guard same(mutex); });
                                    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
                                  });
        })
        .get();
    others.wait();
  }
}

}  // namespace
