// task_group in the tasks of a pool: who runs what, what becomes of exceptions and cancellation.
#include <tandem/task_group.hpp>

#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/gate.hpp"

namespace {

using tandem::parallel_invoke;
using tandem::task_group;
using tandem::task_group_status;
using tandem::thread_pool;
using tandem::test::gate;

TEST(TaskGroup, WaitsForWhatItsTasksAddToIt) {
  thread_pool pool({.max_workers = 3});
  const auto fill = [&] {
    task_group group(pool);
    std::atomic<int> ran{0};
    struct adder {
      task_group& group;
      std::atomic<int>& ran;
      void operator()(int depth) const {
        ++ran;
        for (int i = 0; depth > 0 && i < 3; ++i) group.run([*this, depth] { (*this)(depth - 1); });
      }
    };
    group.run([&] { adder{group, ran}(5); });
    EXPECT_EQ(group.wait(), task_group_status::complete);
    EXPECT_EQ(ran, 1 + 3 + 9 + 27 + 81 + 243);
  };
  fill();                   // from outside
  pool.submit(fill).get();  // on a worker
  thread_pool one({.max_workers = 1, .max_spare_workers = 0});
  one.submit(fill).get();  // on a worker of another pool
}

TEST(TaskGroup, OfAWorkerThatNobodyCanStandInForCompletes) {
  thread_pool pool({.max_workers = 1, .max_spare_workers = 0});
  task_group group(pool);
  int ran = 0;
  gate open;
  auto waiting = pool.submit([&] {
    open.wait();
    return group.wait();  // of tasks that lie behind it in the queue
  });
  for (int i = 0; i < 100; ++i) group.run([&] { ++ran; });
  open.open();
  EXPECT_EQ(waiting.get(), task_group_status::complete);
  EXPECT_EQ(ran, 100);
}

TEST(TaskGroup, ThrowsTheFirstExceptionAndCanBeUsedAgain) {
  thread_pool pool({.max_workers = 1});
  pool.submit([] {
        task_group group;
        std::string order;
        group.run([&] { order += 'a'; });
        group.run([&] {
          order += 'b';
          throw std::runtime_error("b");
        });
        group.run([&] { order += 'c'; });
        try {
          group.wait();
          FAIL();
        } catch (const std::runtime_error& e) {
          EXPECT_STREQ(e.what(), "b");
        }
        EXPECT_EQ(order, "cb") << "newest first, and none behind the exception";
        EXPECT_FALSE(group.cancelled());
        group.run([&] { order += 'd'; });
        EXPECT_EQ(group.wait(), task_group_status::complete);
        EXPECT_EQ(order, "cbd");
      })
      .get();
}

TEST(TaskGroup, CancelledOneLeavesOutWhatHasNotBegun) {
  thread_pool pool({.max_workers = 2});
  for (const bool inside : {false, true}) {
    const auto use = [&] {
      task_group group(pool);
      std::atomic<int> begun{0};
      std::atomic<int> ran{0};
      std::latch two(inside ? 2 : 3);
      for (int i = 0; i < 10; ++i) {
        group.run([&] {
          if (++begun > 2) return;
          two.arrive_and_wait();
          while (!tandem::this_task::stop_requested()) std::this_thread::yield();
          ++ran;
        });
      }
      if (inside) {
        // One by the other worker, one by us.
        group.run([&] {
          while (begun < 1) std::this_thread::yield();
          group.cancel();
          two.count_down();
        });
      } else {
        two.arrive_and_wait();
        group.cancel();
      }
      EXPECT_EQ(group.wait(), task_group_status::cancelled);
      EXPECT_EQ(ran, inside ? 1 : 2);
      EXPECT_EQ(begun, inside ? 1 : 2);
      EXPECT_FALSE(group.cancelled());
    };
    if (inside) {
      pool.submit(use).get();
    } else {
      use();
    }
  }
}

TEST(TaskGroup, ACancelledOnesFunctionsThrowWhereTheyForkOn) {
  thread_pool pool({.max_workers = 1});
  pool.submit([] {
        task_group group;
        bool gone_on = false;
        int called = 0;
        group.run([&] {
          parallel_invoke([&] { group.cancel(); }, [&] { ++called; });
          gone_on = true;
        });
        EXPECT_EQ(group.wait(), task_group_status::cancelled) << "to give up is no failure";
        EXPECT_EQ(called, 0);
        EXPECT_FALSE(gone_on);
      })
      .get();
}

TEST(TaskGroup, ANestedOneIsCancelledWithTheOneAround) {
  thread_pool pool({.max_workers = 1});
  pool.submit([] {
        task_group outer;
        bool caught = false;
        int ran = 0;
        outer.run([&] {
          task_group inner;
          inner.run([&] { ++ran; });
          outer.cancel();
          EXPECT_TRUE(inner.cancelled());
          try {
            inner.wait();
          } catch (const tandem::cancelled_error&) {
            caught = true;
            throw;
          }
        });
        EXPECT_EQ(outer.wait(), task_group_status::cancelled);
        EXPECT_TRUE(caught);
        EXPECT_EQ(ran, 0);
      })
      .get();
}

TEST(TaskGroup, CancellingDoesNotReachATaskThatIsAwaitedWithin) {
  thread_pool pool({.max_workers = 1});
  pool.submit([&] {
        task_group outer;
        int called = 0;
        outer.run([&] {
          auto other = pool.submit([&] {
            parallel_invoke([&] { ++called; }, [&] { ++called; });
            EXPECT_FALSE(tandem::this_task::stop_requested());
          });
          outer.cancel();
          other.get();
          EXPECT_TRUE(tandem::this_task::stop_requested());
        });
        outer.wait();
        EXPECT_EQ(called, 2) << "run in place, but a task of its own";
      })
      .get();
}

TEST(TaskGroup, DestroyedByAnExceptionCancelsAndWaits) {
  thread_pool pool({.max_workers = 1});
  int ran = 0;
  auto task = pool.submit([&] {
    task_group group;
    group.run([&] { ++ran; });
    throw std::runtime_error("over");
  });
  EXPECT_THROW(task.get(), std::runtime_error);
  EXPECT_EQ(ran, 0);
  pool.submit([&] {
        task_group group;
        group.run([&] { ++ran; });
      })
      .get();
  EXPECT_EQ(ran, 1) << "without an exception it waits";
}

TEST(TaskGroup, WhatNobodyHasWaitedForIsReported) {
  std::mutex mutex;
  std::vector<std::string> reported;
  thread_pool pool({.max_workers = 1, .error_handler = [&](std::exception_ptr, std::string_view where) {
                      const std::lock_guard lock(mutex);
                      reported.emplace_back(where);
                    }});
  {
    task_group group(pool);
    group.run([] { throw std::runtime_error("lost"); });
  }
  EXPECT_EQ(reported, std::vector<std::string>{"a task of a task_group"});
}

TEST(TaskGroup, WithoutAPoolRunsAtOnce) {
  task_group group;
  int ran = 0;
  group.run([&] { ++ran; });
  EXPECT_EQ(ran, 1);
  group.run([] { throw std::runtime_error("x"); });
  group.run([&] { ++ran; });
  EXPECT_EQ(ran, 1) << "behind an exception";
  EXPECT_THROW(group.wait(), std::runtime_error);
  EXPECT_EQ(group.run_and_wait([&] { ++ran; }), task_group_status::complete);
  EXPECT_EQ(ran, 2);
}

TEST(TaskGroup, OfATaskCannotBeAwaitedElsewhere) {
  thread_pool pool({.max_workers = 1});
  pool.submit([&] {
        task_group group;
        int ran = 0;
        group.run([&] { ++ran; });
        std::thread([&] { EXPECT_THROW(group.wait(), tandem::invalid_state_error); }).join();
        EXPECT_EQ(group.wait(), task_group_status::complete);
        EXPECT_EQ(ran, 1);
      })
      .get();
}

// The task that fills a group is over; what it has left is run all the same, and by then nothing of that task is there.
TEST(TaskGroup, MayOutliveTheTaskThatFillsIt) {
  thread_pool pool({.max_workers = 2});
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> ran{0};
    auto group = std::make_unique<task_group>(pool);
    pool.submit([&] {
          for (int i = 0; i < 10; ++i) {
            group->run([&] {
              EXPECT_FALSE(tandem::this_task::stop_requested());
              ++ran;
            });
          }
        })
        .get();
    EXPECT_EQ(group->wait(), task_group_status::complete);
    EXPECT_EQ(ran, 10);
  }
}

// Leftovers of one task do not keep the queue waiting, nor the other way round.
TEST(TaskGroup, TasksThatForkEachOtherForEverDoNotKeepTheQueueWaiting) {
  thread_pool pool({.max_workers = 1});
  task_group group(pool);
  std::atomic<bool> stop{false};
  struct again {
    task_group& group;
    std::atomic<bool>& stop;
    void operator()() const {
      if (!stop) group.run(*this);
    }
  };
  group.run(again{group, stop});
  EXPECT_EQ(pool.submit([] { return 7; }).get(), 7);
  stop = true;
  group.wait();
}

TEST(TaskGroup, DestroysFunctionsBeforeWaitReturns) {
  thread_pool pool({.max_workers = 2});
  const auto token = std::make_shared<int>(1);
  struct large {
    std::shared_ptr<int> token;
    std::array<char, 300> bytes{};
    void operator()() const {}
  };
  pool.submit([&] {
        for (int round = 0; round < 1000; ++round) {
          task_group group;
          group.run([token] {});
          group.run([token] {});
          group.run(large{token});
          group.wait();
          ASSERT_EQ(token.use_count(), 1);
        }
      })
      .get();
}

TEST(TaskGroup, TakesMoveOnlyFunctions) {
  thread_pool pool({.max_workers = 2});
  pool.submit([] {
        int sum = 0;
        task_group group;
        group.run([&, p = std::make_unique<int>(3)] { sum += *p; });
        group.wait();
        EXPECT_EQ(sum, 3);
      })
      .get();
}

TEST(TaskGroup, AfterShutdownTakesNothingFromOutside) {
  thread_pool pool({.max_workers = 1});
  pool.shutdown();
  task_group group(pool);
  EXPECT_THROW(group.run([] {}), tandem::shutdown_error);
  EXPECT_EQ(group.wait(), task_group_status::complete);
}

TEST(TaskGroup, WhatShutdownCancelsIsNotPassedOver) {
  thread_pool pool({.max_workers = 1});
  gate open;
  gate begun;
  auto blocker = pool.submit([&] {
    begun.open();
    open.wait();
  });
  begun.wait();
  task_group group(pool);
  group.run([] {});
  pool.shutdown({.wait = false, .cancel_pending = true});
  open.open();
  EXPECT_THROW(group.wait(), tandem::cancelled_error);
}

}  // namespace
