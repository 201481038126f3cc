// Boost.Thread's interruption of tasks on a thread_pool: it reaches the task that was asked to stop, and no other.
#include <tandem/tandem.hpp>

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/thread/condition_variable.hpp>
#include <boost/thread/mutex.hpp>
#include <boost/thread/thread.hpp>

#include <atomic>
#include <chrono>
#include <random>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

#include "support/asleep.hpp"
#include "support/gate.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace tandem {
namespace {

using namespace std::chrono_literals;
using test::gate;
using test::gate_opener;

// What a task of Boost's kind does: sleeps, for ever if nobody interrupts it.
void sleep_for_ever() { boost::this_thread::sleep(boost::posix_time::hours(24)); }

// True if something of an interruption is left on this thread.
bool is_interrupted() {
  try {
    boost::this_thread::interruption_point();
    boost::this_thread::sleep(boost::posix_time::microseconds(1));
    return false;
  } catch (const boost::thread_interrupted&) {
    return true;
  }
}

TEST(Interruption, EndsABlockingCallOfBoosts) {
  thread_pool pool({.max_workers = 1});
  gate there;
  auto f = pool.submit([&] {
    there.open();
    sleep_for_ever();
  });
  there.wait();
  EXPECT_FALSE(f.cancel());
  EXPECT_THROW(f.get(), boost::thread_interrupted);
  EXPECT_FALSE(pool.submit(is_interrupted).get());
}

TEST(Interruption, EndsAWaitOnABoostCondition) {
  thread_pool pool({.max_workers = 1});
  gate there;
  auto f = pool.submit([&] {
    boost::mutex mutex;
    boost::condition_variable never;
    boost::unique_lock<boost::mutex> lock(mutex);
    there.open();
    never.wait(lock);
  });
  there.wait();
  f.cancel();
  EXPECT_THROW(f.get(), boost::thread_interrupted);
}

TEST(Interruption, ThatComesBeforeTheCallIsKept) {
  thread_pool pool({.max_workers = 1});
  gate there;
  gate go_on;
  const gate_opener at_the_end(go_on);
  auto f = pool.submit([&] {
    there.open();
    go_on.wait();
    sleep_for_ever();
  });
  there.wait();
  f.cancel();
  go_on.open();
  EXPECT_THROW(f.get(), boost::thread_interrupted);
}

TEST(Interruption, ComesByStopTokensTimeLimitsAndDuringShutdownToo) {
  thread_pool pool({.max_workers = 3});
  test::counter there;
  std::stop_source stop;
  const auto sleeper = [&] {
    there.add();
    sleep_for_ever();
  };
  auto by_token = pool.submit({.stop_token = stop.get_token()}, sleeper);
  auto by_time = pool.submit({.timeout = 1ms}, sleeper);
  auto by_hand = pool.submit(sleeper);
  there.wait_for(3);
  stop.request_stop();
  EXPECT_THROW(by_token.get(), boost::thread_interrupted);
  EXPECT_THROW(by_time.get(), timeout_error);
  std::thread ending([&] { pool.shutdown(); });
  by_hand.cancel();
  ending.join();
  EXPECT_THROW(by_hand.get(), boost::thread_interrupted);
}

TEST(Interruption, TaskThatDoesNotNoticeLeavesNothingToTheNext) {
  thread_pool pool({.max_workers = 1});
  gate there;
  gate go_on;
  const gate_opener at_the_end(go_on);
  auto f = pool.submit([&] {
    there.open();
    go_on.wait();
    return 1;
  });
  bool callback_is_interrupted = true;
  f.on_done([&] { callback_is_interrupted = is_interrupted(); });
  auto next = pool.submit(is_interrupted);
  there.wait();
  f.cancel();
  go_on.open();
  EXPECT_EQ(f.get(), 1);
  EXPECT_FALSE(next.get());
  EXPECT_FALSE(callback_is_interrupted);
}

TEST(Interruption, OfATaskWhoseTimeIsOverIsNotLeftToTheNext) {
  thread_pool pool({.max_workers = 1});
  auto f = pool.submit({.timeout = 1ms}, [] {
    while (!this_task::stop_requested()) std::this_thread::yield();
    // Interrupted a moment later: this notices it without taking it.
    while (!boost::this_thread::interruption_requested()) std::this_thread::yield();
  });
  auto next = pool.submit(is_interrupted);
  EXPECT_THROW(f.get(), timeout_error);
  EXPECT_FALSE(next.get());
}

TEST(Interruption, DoesNotReachAWorkerWhoseTaskAnotherOneRuns) {
  thread_pool pool({.max_workers = 2});
  gate first_there;
  gate first_may_end;
  gate inner_there;
  gate inner_may_end;
  const gate_opener at_the_end(first_may_end);
  const gate_opener at_the_end_too(inner_may_end);
  std::atomic<int> thread{0};
  auto first = pool.submit([&] {
    thread = test::this_thread();
    first_there.open();
    first_may_end.wait();
  });
  first_there.wait();
  shared_future<void> inner;
  gate has_inner;
  auto outer = pool.submit([&] {
    inner = pool.submit([&] {
                  inner_there.open();
                  inner_may_end.wait();
                })
                .share();
    has_inner.open();
    inner.get();  // in place, for the other worker is busy
  });
  has_inner.wait();
  inner_there.wait();
  first_may_end.open();
  first.get();
  test::wait_until_asleep(thread);  // its worker has met the inner task in the queue, and left it alone
  inner.cancel();
  auto next = pool.submit([] { return std::pair(test::this_thread(), is_interrupted()); });
  const auto [ran_on, was_interrupted] = next.get();
  EXPECT_EQ(ran_on, thread);
  EXPECT_FALSE(was_interrupted);
  inner_may_end.open();
  outer.get();
}

// A worker remembers its task by its address, and addresses come again.
TEST(Interruption, DoesNotReachAnIdleWorkerWhoseLastTaskHadTheSameAddress) {
  thread_pool pool({.max_workers = 2});
  for (int i = 0; i < 200; ++i) {
    for (const bool is_cancelled : {false, true}) {
      test::counter there;
      gate go_on;
      const gate_opener at_the_end(go_on);
      const auto task = [&there, &go_on] {
        const bool was = is_interrupted();
        there.add();
        go_on.wait();
        return was;
      };
      auto one = pool.submit(task);
      future<bool> other;
      if (!is_cancelled) other = pool.submit(task);  // both workers are needed
      there.wait_for(is_cancelled ? 1 : 2);
      if (is_cancelled) one.cancel();
      go_on.open();
      ASSERT_FALSE(one.get()) << "round " << i;
      if (!is_cancelled) {
        ASSERT_FALSE(other.get()) << "round " << i;
      }
    }
  }
}

TEST(Interruption, ReachesATaskThatHasRunAnotherOneInPlace) {
  thread_pool pool({.max_workers = 1});
  gate there;
  gate go_on;
  const gate_opener at_the_end(go_on);
  auto f = pool.submit([&] {
    pool.submit([] {}).get();
    there.open();
    go_on.wait();
    return is_interrupted();
  });
  there.wait();
  f.cancel();
  go_on.open();
  EXPECT_TRUE(f.get());
}

TEST(Interruption, DoesNotReachATaskThatRunsInPlaceOfTheOneThatWaitsForIt) {
  thread_pool pool({.max_workers = 1});
  gate inner_there;
  gate go_on;
  const gate_opener at_the_end(go_on);
  auto outer = pool.submit([&] {
    auto inner = pool.submit([&] {
      inner_there.open();
      go_on.wait();
      return is_interrupted();
    });
    const bool inner_was = inner.get();
    return std::pair(inner_was, is_interrupted());
  });
  inner_there.wait();
  EXPECT_FALSE(outer.cancel());
  go_on.open();
  const auto [inner_was, outer_was] = outer.get();
  EXPECT_FALSE(inner_was);
  EXPECT_TRUE(outer_was) << "when it goes on, it is told";
}

TEST(Interruption, ThatIsDueIsKeptWhileAnotherTaskRunsInPlace) {
  thread_pool pool({.max_workers = 1});
  gate there;
  gate go_on;
  const gate_opener at_the_end(go_on);
  auto outer = pool.submit([&] {
    auto inner = pool.submit(is_interrupted);
    there.open();
    go_on.wait();
    const bool inner_was = inner.get();
    return std::pair(inner_was, is_interrupted());
  });
  there.wait();
  outer.cancel();
  go_on.open();
  const auto [inner_was, outer_was] = outer.get();
  EXPECT_FALSE(inner_was);
  EXPECT_TRUE(outer_was);
}

TEST(Interruption, OfAnInnerTaskIsNotTheOuterOnes) {
  thread_pool pool({.max_workers = 1});
  gate there;
  shared_future<void> inner;
  gate has_inner;
  auto outer = pool.submit([&] {
    inner = pool.submit([&] {
                  there.open();
                  sleep_for_ever();
                })
                .share();
    has_inner.open();
    EXPECT_THROW(inner.get(), boost::thread_interrupted);
    return is_interrupted();
  });
  has_inner.wait();
  there.wait();
  inner.cancel();
  EXPECT_FALSE(outer.get());
}

// A pool whose only worker is in `task`, with a full queue: what `task` submits runs in it, before submit() returns.
template <class Task>
auto run_with_a_full_queue(thread_pool& pool, Task task) {
  return pool.submit([&pool, task]() mutable {
    auto waiting = pool.submit([] {});
    return task();
  });
}

TEST(Interruption, DoesNotReachATaskThatRunsInItsSubmitter) {
  thread_pool pool({.max_workers = 1, .queue_capacity = 1, .when_full = when_full::run_in_caller});
  gate inner_there;
  gate go_on;
  const gate_opener at_the_end(go_on);
  auto outer = run_with_a_full_queue(pool, [&] {
    auto inner = pool.submit([&] {
      inner_there.open();
      go_on.wait();
      return std::pair(is_interrupted(), this_task::stop_requested());
    });
    EXPECT_TRUE(inner.is_ready()) << "it has run here";
    const auto inner_was = inner.get();
    return std::pair(inner_was, is_interrupted());
  });
  inner_there.wait();
  EXPECT_FALSE(outer.cancel());
  go_on.open();
  const auto [inner_was, outer_was] = outer.get();
  EXPECT_FALSE(inner_was.first);
  EXPECT_FALSE(inner_was.second);
  EXPECT_TRUE(outer_was) << "when it goes on, it is told";
}

TEST(Interruption, OfATaskThatRunsInItsSubmitterIsNotTheSubmitters) {
  thread_pool pool({.max_workers = 1, .queue_capacity = 1, .when_full = when_full::run_in_caller});
  gate there;
  std::stop_source source;
  auto outer = run_with_a_full_queue(pool, [&] {
    auto stopped = pool.submit({.stop_token = source.get_token()}, [&] {
      there.open();
      sleep_for_ever();
    });
    EXPECT_THROW(stopped.get(), boost::thread_interrupted);
    const bool after_the_first = is_interrupted();
    auto late = pool.submit({.timeout = 5ms}, sleep_for_ever);
    EXPECT_THROW(late.get(), timeout_error);
    return std::pair(after_the_first, is_interrupted());
  });
  there.wait();
  source.request_stop();
  EXPECT_EQ(outer.get(), std::pair(false, false));
}

TEST(Interruption, DoesNotReachAWorkerThatHasLeftItsTaskToAnother) {
  thread_pool pool({.max_workers = 1});
  promise<int> later;
  gate left;
  auto source = pool.submit([] { return 1; });
  auto f = std::move(source).then(pool, [&](int) {
    left.open();
    return later.get_future();
  });
  left.wait();
  auto next = pool.submit(is_interrupted);  // behind it, on the same worker
  f.cancel();
  EXPECT_FALSE(next.get());
  later.set_value(3);
  EXPECT_EQ(f.get(), 3);
}

TEST(Interruption, OfATaskThatIsLeftToAnotherIsNotLeftToTheNext) {
  thread_pool pool({.max_workers = 1});
  promise<int> later;
  gate there;
  gate go_on;
  const gate_opener at_the_end(go_on);
  auto f = pool.submit([] { return 1; }).then(pool, [&](int) {
    there.open();
    go_on.wait();
    return later.get_future();
  });
  there.wait();
  auto next = pool.submit(is_interrupted);
  f.cancel();
  go_on.open();
  EXPECT_FALSE(next.get());
  later.set_value(3);
  EXPECT_EQ(f.get(), 3);
}

// The cancel comes at any moment of the task's end.
// The task in place is cancelled while the one that waits for it does not let itself be interrupted.
TEST(Interruption, IsTakenBackWhereItIsDisabled) {
  thread_pool pool({.max_workers = 1});
  auto nested = pool.submit([&] {
    {
      const boost::this_thread::disable_interruption uninterrupted;
      gate there;
      gate cancelled;
      auto in_place = pool.submit([&] {
                            there.open();
                            cancelled.wait();
                          })
                          .share();
      std::thread canceller([&] {
        there.wait();
        in_place.cancel();  // it has been interrupted when this returns
        cancelled.open();
      });
      in_place.wait();
      canceller.join();
    }
    return is_interrupted();
  });
  EXPECT_FALSE(nested.get());
  EXPECT_FALSE(pool.submit(is_interrupted).get());
}

// A request that comes just when a task begins to run another one in place is delivered behind that.
TEST(Interruption, IsNotLostAmongNestedTasks) {
  const test::seed_scope seed;
  auto random = test::seed_scope::generator();
  thread_pool pool({.max_workers = 1});
  const int rounds = 3000 / test::slowness();
  for (int i = 0; i < rounds; ++i) {
    std::atomic<bool> there{false};
    auto f = pool.submit([&] {
      there = true;
      for (int n = 0; n < 20; ++n) pool.submit([] {}).get();
      sleep_for_ever();
    });
    while (!there) std::this_thread::yield();
    for (auto n = random() % 10000; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
    f.cancel();
    ASSERT_THROW(f.get(), boost::thread_interrupted) << "round " << i;
  }
}

TEST(Interruption, IsPreciseWheneverTheCancelComes) {
  const test::seed_scope seed;
  auto random = test::seed_scope::generator();
  thread_pool pool({.max_workers = 1});
  int noticed = 0;
  const int rounds = 1500 / test::slowness();
  for (int i = 0; i < rounds; ++i) {
    std::atomic<bool> there{false};
    auto f = pool.submit([&] {
      there = true;
      for (int n = 0; n < 20; ++n) boost::this_thread::interruption_point();
    });
    auto next = pool.submit(is_interrupted);
    while (!there) std::this_thread::yield();
    for (auto n = random() % 2000; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
    f.cancel();
    try {
      f.get();
    } catch (const boost::thread_interrupted&) {
      ++noticed;
    }
    ASSERT_FALSE(next.get()) << "round " << i;
  }
  EXPECT_LT(noticed, rounds);
}

// Tasks in place of others, all of them cancelled at random: whoever was not asked is not interrupted.
TEST(Interruption, IsPreciseAmongNestedTasks) {
  const test::seed_scope seed;
  auto random = test::seed_scope::generator();
  thread_pool pool({.max_workers = 2});
  const int rounds = 1500 / test::slowness();
  for (int i = 0; i < rounds; ++i) {
    std::atomic<bool> asked{false};  // set before the cancel
    std::atomic<int> wrong{0};
    auto outer = pool.submit([&] {
      for (int n = 0; n < 3; ++n) {
        pool.submit([&] {
              if (is_interrupted()) ++wrong;
            })
            .get();
        if (is_interrupted() && !asked) ++wrong;
      }
    });
    for (auto n = random() % 20000; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
    if (random() % 2 == 0) {
      asked = true;
      outer.cancel();
    }
    outer.wait();
    ASSERT_EQ(wrong, 0) << "round " << i;
  }
}

}  // namespace
}  // namespace tandem
