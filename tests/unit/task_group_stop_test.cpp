// How a task_group's tasks hear that they shall stop, and what becomes of those that have not run.
#include <tandem/task_group.hpp>

#include <tandem/error.hpp>
#include <tandem/inline_executor.hpp>
#include <tandem/parallel_for.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include "support/gate.hpp"

namespace {

using tandem::parallel_invoke;
using tandem::task_group;
using tandem::task_group_status;
using tandem::thread_pool;
using tandem::test::gate;

// Returns when stop is requested of the token, without asking for it again and again.
void wait_for(const std::stop_token& token) {
  ASSERT_TRUE(token.stop_possible());
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, token, [] { return false; });
}

TEST(StopToken, OfAGroupsTasksIsRequestedWhenItIsCancelled) {
  thread_pool pool({.max_workers = 2});
  for (const bool inside : {true, false}) {
    const auto use = [&] {
      task_group group(pool);
      std::latch both(2);
      for (int i = 0; i < 2; ++i) {
        group.run([&] {
          const std::stop_token token = tandem::this_task::stop_token();
          EXPECT_EQ(token, tandem::this_task::stop_token());
          both.arrive_and_wait();
          if (!tandem::this_task::stop_requested()) group.cancel();
          wait_for(token);
          EXPECT_TRUE(tandem::this_task::stop_requested());
        });
      }
      EXPECT_EQ(group.wait(), task_group_status::cancelled);
      group.run([] { EXPECT_FALSE(tandem::this_task::stop_token().stop_requested()) << "that is over"; });
      EXPECT_EQ(group.wait(), task_group_status::complete);
    };
    inside ? pool.submit(use).get() : use();
  }
}

TEST(StopToken, OfABranchIsRequestedByAnExceptionFurtherOut) {
  thread_pool pool({.max_workers = 3});
  std::latch all(3);
  const auto until_stopped = [&] {
    const std::stop_token token = tandem::this_task::stop_token();
    all.arrive_and_wait();
    wait_for(token);
  };
  EXPECT_THROW(parallel_invoke(
                   pool, [&] { parallel_invoke(until_stopped, until_stopped); },
                   [&] {
                     all.arrive_and_wait();
                     throw std::out_of_range("far out");
                   }),
               std::out_of_range);
}

TEST(StopToken, OfABranchIsRequestedWithTheTaskAndMayOutliveIt) {
  thread_pool pool({.max_workers = 2});
  std::latch all(3);
  std::stop_token kept;
  auto task = pool.submit([&] {
    parallel_invoke(
        [&] {
          all.arrive_and_wait();
          wait_for(tandem::this_task::stop_token());
        },
        [&] {
          kept = tandem::this_task::stop_token();
          all.arrive_and_wait();
          wait_for(kept);
        });
  });
  all.arrive_and_wait();
  EXPECT_FALSE(task.cancel());
  task.get();
  EXPECT_TRUE(kept.stop_requested());
}

TEST(TaskGroupStop, RunAndWaitCallsOneOfTheGroupsTasks) {
  thread_pool pool({.max_workers = 2});
  tandem::inline_executor inline_pool;
  const auto use = [&](auto&... pool_of_group) {
    task_group group(pool_of_group...);
    EXPECT_EQ(group.run_and_wait([&] {
      const std::stop_token token = tandem::this_task::stop_token();
      EXPECT_FALSE(tandem::this_task::stop_requested());
      group.cancel();
      EXPECT_TRUE(tandem::this_task::stop_requested());
      EXPECT_TRUE(token.stop_requested());
      if (tandem::this_task::worker_index() >= 0) {
        tandem::parallel_for(0, 10, [](int) { ADD_FAILURE(); });
        ADD_FAILURE() << "as if all had been done";
      }
    }),
              task_group_status::cancelled);
    EXPECT_FALSE(tandem::this_task::stop_requested());
  };
  use();
  use(pool);
  pool.submit([&] { use(); }).get();
  inline_pool.submit([&] { use(); }).get();
}

TEST(TaskGroupStop, RunAndWaitHearsOfATasksException) {
  thread_pool pool({.max_workers = 2});
  for (const bool inside : {true, false}) {
    const auto use = [&] {
      task_group group(pool);
      std::latch both(2);
      group.run([&] {
        both.arrive_and_wait();
        throw std::out_of_range("the other one");
      });
      EXPECT_THROW(group.run_and_wait([&] {
        both.arrive_and_wait();
        while (!tandem::this_task::stop_requested()) std::this_thread::yield();
      }),
                   std::out_of_range);
    };
    inside ? pool.submit(use).get() : use();
  }
}

TEST(TaskGroupStop, WithoutAPoolATaskHearsOfItsGroup) {
  task_group group;
  group.run([&] {
    group.cancel();
    EXPECT_TRUE(tandem::this_task::stop_requested());
  });
  EXPECT_FALSE(tandem::this_task::stop_requested());
  EXPECT_EQ(group.wait(), task_group_status::cancelled);
}

TEST(TaskGroupStop, TasksThatWereSubmittedAreInTheGroupToo) {
  thread_pool pool({.max_workers = 1});
  task_group group(pool);
  group.run([&] {
    group.cancel();
    EXPECT_TRUE(tandem::this_task::stop_requested());
    parallel_invoke([] {}, [] { ADD_FAILURE(); });
    ADD_FAILURE() << "as if they had been called";
  });
  EXPECT_EQ(group.wait(), task_group_status::cancelled);
}

// Nobody waits for the inner group, because the task gives up: what it leaves out is no exception that is lost.
TEST(TaskGroupStop, WhatIsLeftOutIsNotReported) {
  std::atomic<int> reported{0};
  thread_pool pool({.max_workers = 1, .error_handler = [&](const auto&...) { ++reported; }});
  pool.submit([&] {
        task_group outer;
        outer.run([&] {
          task_group inner;
          inner.run([] { ADD_FAILURE(); });
          outer.cancel();
        });
        EXPECT_EQ(outer.wait(), task_group_status::cancelled);
      })
      .get();
  EXPECT_EQ(reported, 0);
}

TEST(TaskGroupStop, WhatShutdownHasCancelledSaysSo) {
  thread_pool pool({.max_workers = 1});
  gate open;
  gate begun;
  pool.post([&] {
    begun.open();
    open.wait();
  });
  begun.wait();
  task_group group(pool);
  group.run([] { ADD_FAILURE(); });
  pool.shutdown({.wait = false, .cancel_pending = true});
  open.open();
  try {
    group.wait();
    FAIL();
  } catch (const tandem::cancelled_error& e) {
    EXPECT_EQ(std::string(e.what()).find("task_group"), std::string::npos) << e.what();
  }
}

TEST(TaskGroupStop, WaitInOneOfItsOwnTasksThrows) {
  thread_pool pool({.max_workers = 1});
  for (const bool inside : {true, false}) {
    const auto use = [&] {
      task_group group(pool);
      group.run([&] {
        EXPECT_THROW(group.wait(), tandem::invalid_state_error);
        parallel_invoke([&] { EXPECT_THROW(group.wait(), tandem::invalid_state_error); }, [] {});
        task_group other(pool);
        EXPECT_EQ(other.wait(), task_group_status::complete);
      });
      EXPECT_EQ(group.wait(), task_group_status::complete);
    };
    inside ? pool.submit(use).get() : use();
  }
}

// Some C libraries put thread-local variables on the thread's stack, above all functions: there a group outlives the task.
TEST(TaskGroupStop, ThreadLocalOneMayBeFilledInOneTaskAndAwaitedInAnother) {
  thread_pool pool({.max_workers = 1});
  std::atomic<int> ran{0};
  const auto group = [&]() -> task_group& {
    thread_local task_group mine(pool);
    return mine;
  };
  pool.submit([&] { group().run([&] { ++ran; }); }).get();
  pool.submit([&] { EXPECT_EQ(group().wait(), task_group_status::complete); }).get();
  EXPECT_EQ(ran, 1);
}

// While some wait and cancel, others run: nothing is lost, and nothing that is run behind the end of wait() is left out.
TEST(TaskGroupStop, RunWhileAnotherThreadCancelsAndWaits) {
  thread_pool pool({.max_workers = 2});
  task_group group(pool);
  std::atomic<bool> over{false};
  std::atomic<int> ran{0};
  std::thread filler([&] {
    for (int i = 0; i < 20'000; ++i) group.run([&] { ++ran; });
    over = true;
  });
  while (!over) {
    group.cancel();
    EXPECT_NO_THROW((void)group.wait());
  }
  filler.join();
  EXPECT_NO_THROW((void)group.wait());
  ran = 0;
  group.run([&] { ++ran; });
  EXPECT_EQ(group.wait(), task_group_status::complete);
  EXPECT_EQ(ran, 1);
}

}  // namespace
