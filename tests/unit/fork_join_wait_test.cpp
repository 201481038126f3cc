// What a worker does while it waits in a join: all that it waits for, and nothing else. Each scene is set so that it can only go
// on in one way; the pools have no spares, so nobody stands in for who sleeps.
#include <tandem/task_group.hpp>

#include <tandem/future.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "support/asleep.hpp"
#include "support/gate.hpp"

namespace {

using tandem::parallel_invoke;
using tandem::task_group;
using tandem::task_group_status;
using tandem::thread_pool;
using tandem::test::gate;

// The thief of `b` holds a lock and waits for `c`, which the other worker runs. In that one's deque lies `x`, which wants the
// lock: but it has been forked by the other's task, not by `c`.
TEST(ForkJoinWait, HelpsWithNothingThatItDoesNotWaitFor) {
  thread_pool pool({.max_workers = 2, .max_spare_workers = 0});
  std::mutex mutex;
  gate c_is_forked;
  gate c_has_begun;
  std::atomic<bool> about_to_wait{false};
  std::atomic<int> thief{0};
  bool x_ran = false;
  pool.submit([&] {
        task_group group;
        parallel_invoke(
            [&] {
              c_is_forked.wait();
              group.run([&] {
                const std::lock_guard lock(mutex);
                x_ran = true;
              });
            },
            [&] {  // b
              const std::lock_guard lock(mutex);
              thief = tandem::test::this_thread();
              parallel_invoke(
                  [&] {
                    c_is_forked.open();
                    c_has_begun.wait();
                    about_to_wait = true;
                  },
                  [&] {  // c
                    c_has_begun.open();
                    while (!about_to_wait) std::this_thread::yield();
                    tandem::test::wait_until_asleep(thief);
                  });
            });
        group.wait();
      })
      .get();
  EXPECT_TRUE(x_ran);
}

// The only other worker is blocked in `x` until somebody has run what the branch that we help with adds to our group.
TEST(ForkJoinWait, RunsWhatHasBeenAddedWhileItHelped) {
  thread_pool pool({.max_workers = 2, .max_spare_workers = 0});
  gate forked;
  gate added_one_has_run;
  pool.submit([&] {
        task_group group;
        group.run([&] {  // x
          parallel_invoke(
              [&] {
                forked.open();
                added_one_has_run.wait();
              },
              [&] { group.run([&] { added_one_has_run.open(); }); });
        });
        forked.wait();
        EXPECT_EQ(group.wait(), task_group_status::complete);
      })
      .get();
  EXPECT_TRUE(added_one_has_run.is_open());
}

// The thief of `x` waits for `y`, looks for it in its own deque, finds `c` there and puts it back. Whoever waits for `x` may still
// help with `c`; nobody else can, and `y` waits for it.
TEST(ForkJoinWait, HelpsWithWhatHasBeenPutBackMeanwhile) {
  thread_pool pool({.max_workers = 3, .max_spare_workers = 0});
  gate y_has_begun;
  gate about_to_wait;
  gate c_has_run;
  std::atomic<int> thief{0};
  pool.submit([&] {
        task_group group;
        group.run([&] {  // x
          thief = tandem::test::this_thread();
          task_group inner;
          inner.run([&] {  // y
            y_has_begun.open();
            c_has_run.wait();
          });
          y_has_begun.wait();
          parallel_invoke(
              [&] {
                about_to_wait.open();
                inner.wait();
              },
              [&] { c_has_run.open(); });
        });
        about_to_wait.wait();
        tandem::test::wait_until_asleep(thief);
        EXPECT_EQ(group.wait(), task_group_status::complete);
      })
      .get();
  EXPECT_TRUE(c_has_run.is_open());
}

// A callback completes a promise, whose own callback is put off until the first one is over, or waits: `x` waits for it.
TEST(ForkJoinWait, CallsPutOffCallbacksAndRunsWhatTheyFork) {
  thread_pool pool({.max_workers = 2, .max_spare_workers = 0});
  gate stolen;
  gate added_one_has_run;
  pool.submit([&] {
        tandem::promise<void> first;
        tandem::promise<void> second;
        tandem::future<void> first_done = first.get_future();
        tandem::future<void> second_done = second.get_future();
        task_group* group = nullptr;
        second_done.on_done([&](const auto&) { group->run([&] { added_one_has_run.open(); }); });
        first_done.on_done([&](const auto&) {
          task_group mine;
          group = &mine;
          second.set_value();
          EXPECT_FALSE(added_one_has_run.is_open()) << "put off";
          mine.run([&] {  // x
            stolen.open();
            added_one_has_run.wait();
          });
          stolen.wait();
          EXPECT_EQ(mine.wait(), task_group_status::complete);
        });
        first.set_value();
      })
      .get();
  EXPECT_TRUE(added_one_has_run.is_open());
}

// The only worker blocks, and says so: a spare takes what it has forked.
TEST(ForkJoinWait, ASpareTakesWhatABlockedWorkerHasForked) {
  thread_pool pool({.max_workers = 1, .max_spare_workers = 1});
  gate taken;
  parallel_invoke(
      pool,
      [&] {
        const tandem::this_task::blocking_region blocked;
        taken.wait();
      },
      [&] { taken.open(); });
}

}  // namespace
