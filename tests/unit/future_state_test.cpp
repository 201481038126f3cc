// What a future tells and gives, state by state: pending, running, finished, cancelled. Threads only where a waiter
// must really block.
#include <tandem/as_completed.hpp>
#include <tandem/future.hpp>
#include <tandem/this_task.hpp>
#include <tandem/wait.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/manual_executor.hpp"

namespace {

using namespace std::chrono_literals;
using tandem::future_state;
using tandem::test::manual_executor;

TEST(Future, DefaultConstructedHasNoState) {
  tandem::future<int> f;
  EXPECT_FALSE(f.valid());
  EXPECT_THROW(f.get(), tandem::invalid_state_error);
  EXPECT_THROW(f.wait(), tandem::invalid_state_error);
  EXPECT_THROW((void)f.wait_for(0s), tandem::invalid_state_error);
  EXPECT_THROW((void)f.is_ready(), tandem::invalid_state_error);
  EXPECT_THROW((void)f.state(), tandem::invalid_state_error);
  EXPECT_THROW((void)f.exception(), tandem::invalid_state_error);
  EXPECT_THROW(f.cancel(), tandem::invalid_state_error);
  EXPECT_THROW(f.on_done([] {}), tandem::invalid_state_error);
  EXPECT_THROW((void)f.share(), tandem::invalid_state_error);
}

TEST(Future, MovedFromHasNoState) {
  manual_executor pool;
  auto f = pool.submit([] { return 1; });
  auto g = std::move(f);
  EXPECT_FALSE(f.valid());  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(f.get(), tandem::invalid_state_error);
  EXPECT_TRUE(g.valid());
  pool.run_one();
  EXPECT_EQ(g.get(), 1);
}

TEST(Future, TellsPendingRunningFinished) {
  manual_executor pool;
  auto f = pool.submit([] { return 1; });
  EXPECT_EQ(f.state(), future_state::pending);
  EXPECT_FALSE(f.running());
  const auto task = pool.start_one();
  EXPECT_EQ(f.state(), future_state::running);
  EXPECT_TRUE(f.running());
  EXPECT_FALSE(f.is_ready());
  task->execute();
  EXPECT_EQ(f.state(), future_state::finished);
  EXPECT_FALSE(f.running());
  EXPECT_TRUE(f.is_ready());
  EXPECT_FALSE(f.cancelled());
}

TEST(Future, GetMovesTheValueOut) {
  manual_executor pool;
  auto f = pool.submit([] { return std::make_unique<int>(7); });
  pool.run_one();
  EXPECT_EQ(*f.get(), 7);
}

TEST(Future, SecondGetIsInvalidStateError) {
  manual_executor pool;
  auto f = pool.submit([] { return 1; });
  pool.run_one();
  EXPECT_EQ(f.get(), 1);
  EXPECT_THROW(f.get(), tandem::invalid_state_error);
  EXPECT_THROW((void)f.get(0s), tandem::invalid_state_error);
  EXPECT_TRUE(f.valid());
  EXPECT_TRUE(f.is_ready());
  EXPECT_EQ(f.exception(), nullptr);
}

TEST(Future, SecondGetAfterExceptionIsInvalidStateErrorAndExceptionStays) {
  manual_executor pool;
  auto f = pool.submit([]() -> int { throw std::out_of_range("far"); });
  pool.run_one();
  EXPECT_THROW(f.get(), std::out_of_range);
  EXPECT_THROW(f.get(), tandem::invalid_state_error);
  EXPECT_NE(f.exception(), nullptr);
}

TEST(Future, ExceptionIsNullForAValueAndThePointerOtherwise) {
  manual_executor pool;
  auto good = pool.submit([] {});
  auto bad = pool.submit([] { throw std::out_of_range("far"); });
  pool.run_all();
  EXPECT_EQ(good.exception(), nullptr);
  EXPECT_NO_THROW(good.get());
  const std::exception_ptr error = bad.exception();
  ASSERT_NE(error, nullptr);
  EXPECT_THROW(std::rethrow_exception(error), std::out_of_range);
  EXPECT_THROW(bad.get(), std::out_of_range);
}

TEST(Future, ExceptionOfACancelledOneIsCancelledError) {
  manual_executor pool;
  auto f = pool.submit([] {});
  EXPECT_TRUE(f.cancel());
  ASSERT_NE(f.exception(), nullptr);
  EXPECT_THROW(std::rethrow_exception(f.exception()), tandem::cancelled_error);
}

TEST(Future, ThrowsWhatIsNoStdExceptionToo) {
  struct plain {
    int value;
  };
  manual_executor pool;
  auto number = pool.submit([] { throw 0; });
  auto text = pool.submit([] { throw static_cast<const char*>(nullptr); });
  auto object = pool.submit([] { throw plain{3}; });
  auto null = pool.submit([] { throw std::exception_ptr(); });
  pool.run_all();
  EXPECT_THROW(number.get(), int);
  EXPECT_THROW(text.get(), const char*);
  EXPECT_THROW(object.get(), plain);
  EXPECT_THROW(null.get(), std::exception_ptr);
}

TEST(Future, GivesReferencesAsReferences) {
  manual_executor pool;
  int x = 1;
  auto f = pool.submit([&x]() -> int& { return x; });
  static_assert(std::is_same_v<decltype(f), tandem::future<int&>>);
  pool.run_one();
  f.get() = 5;
  EXPECT_EQ(x, 5);
}

TEST(Future, TimeoutsLeaveAPendingOrRunningOneUsable) {
  manual_executor pool;
  auto f = pool.submit([] { return 4; });
  for (int round = 0; round < 2; ++round) {
    EXPECT_FALSE(f.wait_for(0s));
    EXPECT_FALSE(f.wait_for(-5s));
    EXPECT_FALSE(f.wait_for(1ms));
    EXPECT_FALSE(f.wait_until(std::chrono::steady_clock::now() - 1s));
    EXPECT_FALSE(f.wait_until(std::chrono::system_clock::now() + 1ms));
    EXPECT_THROW((void)f.get(0s), tandem::timeout_error);
    EXPECT_THROW((void)f.get(1ms), tandem::timeout_error);
    EXPECT_THROW((void)f.exception(0ms), tandem::timeout_error);
    if (round == 0) {
      const auto task = pool.start_one();
      ASSERT_TRUE(task);
      EXPECT_TRUE(f.running());
      EXPECT_FALSE(f.wait_for(1ms));
      EXPECT_THROW((void)f.get(1ms), tandem::timeout_error);
      task->execute();
      break;
    }
  }
  EXPECT_TRUE(f.wait_for(0s));
  EXPECT_EQ(f.get(0s), 4);
}

TEST(Future, TimeoutMessageSaysHowLongAndThatTheFutureIsUsable) {
  manual_executor pool;
  auto f = pool.submit([] {});
  try {
    f.get(25ms);
    FAIL() << "no timeout_error";
  } catch (const tandem::timeout_error& e) {
    EXPECT_NE(std::string(e.what()).find("0.025"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("usable"), std::string::npos) << e.what();
  }
}

TEST(Future, AcceptsEveryDurationAndDeadline) {
  manual_executor pool;
  auto pending = pool.submit([] {});
  EXPECT_FALSE(pending.wait_for(std::chrono::hours::min()));
  EXPECT_FALSE(pending.wait_for(std::chrono::nanoseconds::min()));
  EXPECT_FALSE(pending.wait_for(std::chrono::duration<double>(-1e300)));
  EXPECT_FALSE(pending.wait_until(std::chrono::steady_clock::time_point::min()));
  EXPECT_FALSE(pending.wait_until(std::chrono::system_clock::time_point::min()));
  EXPECT_FALSE(pending.wait_until(std::chrono::sys_seconds::min()));

  // A deadline that never comes: the wait ends because the task does.
  const auto ends_when_done = [&pool](auto wait) {
    auto f = pool.submit([] {});
    pool.run_all();
    EXPECT_TRUE(wait(f));
    auto blocked = pool.submit([] {});
    std::thread waiter([&] { EXPECT_TRUE(wait(blocked)); });
    pool.run_all();
    waiter.join();
  };
  pool.run_all();
  ends_when_done([](auto& f) { return f.wait_for(std::chrono::hours::max()); });
  ends_when_done([](auto& f) { return f.wait_for(std::chrono::nanoseconds::max()); });
  ends_when_done([](auto& f) { return f.wait_for(std::chrono::duration<double>(1e300)); });
  ends_when_done([](auto& f) { return f.wait_until(std::chrono::steady_clock::time_point::max()); });
  ends_when_done([](auto& f) { return f.wait_until(std::chrono::system_clock::time_point::max()); });
  ends_when_done([](auto& f) { return f.wait_until(std::chrono::sys_days::max()); });
}

TEST(Cancel, PendingIsCancelledAndNeverRuns) {
  manual_executor pool;
  bool ran = false;
  auto f = pool.submit([&ran] { ran = true; });
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(f.cancelled());
  EXPECT_EQ(f.state(), future_state::cancelled);
  EXPECT_TRUE(f.is_ready());
  EXPECT_TRUE(f.cancel()) << "cancelling a cancelled one";
  pool.run_all();
  EXPECT_FALSE(ran);
  EXPECT_THROW(f.get(), tandem::cancelled_error);
}

TEST(Cancel, RunningIsAskedToStopAndGoesOn) {
  manual_executor pool;
  auto f = pool.submit([] { return tandem::this_task::stop_requested(); });
  const auto task = pool.start_one();
  EXPECT_FALSE(f.cancel());
  EXPECT_FALSE(f.cancel()) << "a second time";
  EXPECT_TRUE(f.running());
  tandem::detail::execute_in_context(*task);
  EXPECT_TRUE(f.get());
}

TEST(Cancel, OfARunningTaskIsNotForgottenWhenItIsToBeTriedAgain) {
  manual_executor pool;
  auto f = pool.submit([] {});
  const auto task = pool.start_one();
  EXPECT_TRUE(task->return_to_pending());
  ASSERT_TRUE(task->try_start());
  EXPECT_FALSE(f.cancel());
  EXPECT_FALSE(task->return_to_pending());
  EXPECT_TRUE(f.running());
  task->drop_payload();
  task->complete_cancelled();
  EXPECT_TRUE(f.cancelled());
}

TEST(Cancel, FinishedIsLeftAsItIs) {
  manual_executor pool;
  auto value = pool.submit([] { return 3; });
  auto error = pool.submit([] { throw std::out_of_range("far"); });
  pool.run_all();
  EXPECT_FALSE(value.cancel());
  EXPECT_FALSE(error.cancel());
  EXPECT_EQ(value.state(), future_state::finished);
  EXPECT_EQ(value.get(), 3);
  EXPECT_THROW(error.get(), std::out_of_range);
}

TEST(Cancel, StopRequestDoesNotReachTheNextTask) {
  manual_executor pool;
  auto first = pool.submit([] {});
  auto second = pool.submit([] { return tandem::this_task::stop_requested(); });
  const auto task = pool.start_one();
  (void)first.cancel();
  tandem::detail::execute_in_context(*task);
  pool.run_all();
  EXPECT_FALSE(second.get());
}

// For AddressSanitizer: the stop source outlives the tasks, and must not know of them any more.
TEST(Cancel, DoneTaskIsTakenOutOfItsStopSource) {
  manual_executor pool;
  std::stop_source stop;
  for (int i = 0; i < 10; ++i) {
    auto ran = pool.submit({.stop_token = stop.get_token()}, [] { return 1; });
    auto cancelled = pool.submit({.stop_token = stop.get_token()}, [] { return 2; });
    EXPECT_TRUE(cancelled.cancel());
    pool.run_all();
    EXPECT_EQ(ran.get(), 1);
  }
  stop.request_stop();
}

TEST(Cancel, StopRequestMayDropAllElseThatHoldsTheTask) {
  // The callable's destructor, which the cancel calls, lets go of the future and of the queue's reference.
  manual_executor pool;
  std::stop_source stop;
  tandem::future<void> f;
  std::shared_ptr<void> lets_go(nullptr, [&](void*) {
    f = {};
    pool.run_all();
  });
  f = pool.submit({.stop_token = stop.get_token()}, [lets_go = std::move(lets_go)] {});
  stop.request_stop();
  EXPECT_FALSE(f.valid());
  EXPECT_EQ(pool.queued(), 0U);
}

TEST(SharedFuture, GivesItsOutcomeAnyNumberOfTimes) {
  manual_executor pool;
  auto f = pool.submit([] { return std::string("text"); });
  const tandem::shared_future<std::string> shared = f.share();
  EXPECT_FALSE(f.valid());
  const auto copy = shared;
  pool.run_all();
  EXPECT_EQ(shared.get(), "text");
  EXPECT_EQ(copy.get(0s), "text");
  EXPECT_EQ(&shared.get(), &copy.get());

  const tandem::shared_future<void> bad = pool.submit([] { throw std::out_of_range("far"); });
  pool.run_all();
  EXPECT_THROW(bad.get(), std::out_of_range);
  EXPECT_THROW(bad.get(), std::out_of_range);
}

TEST(SharedFuture, AnyCopyCancelsForAll) {
  manual_executor pool;
  tandem::shared_future<int> one = pool.submit([] { return 1; });
  auto other = one;
  EXPECT_TRUE(other.cancel());
  EXPECT_TRUE(one.cancelled());
  EXPECT_THROW(one.get(), tandem::cancelled_error);
}

// What get() and wait() do on a worker of the task's own pool.
TEST(OnAWorker, GetRunsAPendingTaskInPlace) {
  manual_executor pool;
  manual_executor::worker_scope worker(pool);
  EXPECT_EQ(pool.submit([] { return 3; }).get(), 3);
  EXPECT_EQ(worker.ran_in_place, 1);
  EXPECT_EQ(worker.blocked, 0);
}

TEST(OnAWorker, GetRunsNoTaskOfAnotherPool) {
  manual_executor pool;
  manual_executor other;
  manual_executor::worker_scope worker(pool);
  auto f = other.submit([] { return 3; });
  std::thread elsewhere([&] { other.run_all(); });
  EXPECT_EQ(f.get(), 3);
  elsewhere.join();
  EXPECT_EQ(worker.ran_in_place, 0);
  EXPECT_EQ(worker.blocked, worker.unblocked);
}

TEST(OnAWorker, AskingDoesNotCountAsBlocking) {
  manual_executor pool;
  manual_executor::worker_scope worker(pool);
  auto f = pool.submit([] {});
  std::vector<tandem::shared_future<void>> fs{f.share()};
  EXPECT_FALSE(fs[0].is_ready());
  EXPECT_FALSE(fs[0].wait_for(0s));
  EXPECT_FALSE(fs[0].wait_for(-1h));
  EXPECT_TRUE(tandem::wait(fs, tandem::return_when::all_completed, 0s).done.empty());
  EXPECT_THROW((void)tandem::as_completed(fs, 0s).begin(), tandem::timeout_error);
  EXPECT_EQ(worker.blocked, 0);
  EXPECT_EQ(worker.ran_in_place, 0);
  EXPECT_FALSE(fs[0].wait_for(1ms));
  EXPECT_EQ(worker.blocked, 1);
  EXPECT_EQ(worker.unblocked, 1);
}

// A waiter that blocks gets exactly what another thread ends the task with.
TEST(BlockedWaiter, WakesWithTheValue) {
  tandem::promise<int> p;
  auto f = p.get_future();
  std::thread setter([&] { p.set_value(5); });
  EXPECT_EQ(f.get(), 5);
  setter.join();
}

TEST(BlockedWaiter, WakesWithTheException) {
  tandem::promise<int> p;
  auto f = p.get_future();
  std::thread setter([&] { p.set_exception(std::make_exception_ptr(std::out_of_range("far"))); });
  EXPECT_THROW(f.get(), std::out_of_range);
  setter.join();
}

TEST(BlockedWaiter, WakesWithCancelledError) {
  tandem::promise<int> p;
  tandem::shared_future<int> f = p.get_future();
  std::thread canceller([f]() mutable { EXPECT_TRUE(f.cancel()); });
  EXPECT_THROW(f.get(), tandem::cancelled_error);
  canceller.join();
}

TEST(BlockedWaiter, AllOfManyWake) {
  tandem::promise<int> p;
  tandem::shared_future<int> f = p.get_future();
  std::vector<std::thread> waiters;
  for (int i = 0; i < 8; ++i) {
    waiters.emplace_back([f, i] {
      if (i % 2 == 0)
        EXPECT_EQ(f.get(), 5);
      else
        EXPECT_TRUE(f.wait_for(30s));
    });
  }
  p.set_value(5);
  for (auto& w : waiters) w.join();
}

TEST(Promise, SecondOutcomeIsInvalidStateErrorAndTheFirstStays) {
  tandem::promise<int> p;
  auto f = p.get_future();
  p.set_value(1);
  EXPECT_THROW(p.set_value(2), tandem::invalid_state_error);
  EXPECT_THROW(p.set_exception(std::make_exception_ptr(1)), tandem::invalid_state_error);
  EXPECT_THROW((void)p.set_running(), tandem::invalid_state_error);
  EXPECT_EQ(f.get(), 1);

  tandem::promise<void> q;
  auto g = q.get_future();
  q.set_exception(std::make_exception_ptr(std::out_of_range("far")));
  EXPECT_THROW(q.set_value(), tandem::invalid_state_error);
  EXPECT_THROW(g.get(), std::out_of_range);
}

TEST(Promise, DestroyedUnsetBreaksThePromise) {
  tandem::future<int> f;
  {
    tandem::promise<int> p;
    f = p.get_future();
    EXPECT_TRUE(p.set_running());
  }
  try {
    f.get();
    FAIL() << "no exception";
  } catch (const std::future_error& e) {
    EXPECT_EQ(e.code(), std::future_errc::broken_promise);
  }
}

TEST(Promise, ReplacedUnsetBreaksThePromise) {
  tandem::promise<int> p;
  auto f = p.get_future();
  p = tandem::promise<int>();
  EXPECT_THROW(f.get(), std::future_error);
  auto g = p.get_future();
  p.set_value(2);
  EXPECT_EQ(g.get(), 2);
}

TEST(Promise, CancelledFutureTakesNoOutcome) {
  tandem::promise<int> p;
  auto f = p.get_future();
  EXPECT_TRUE(f.cancel());
  EXPECT_FALSE(p.set_running());
  EXPECT_THROW(p.set_value(1), tandem::invalid_state_error);
  EXPECT_THROW(f.get(), tandem::cancelled_error);
}

TEST(Promise, RunningCannotBeCancelled) {
  tandem::promise<int> p;
  auto f = p.get_future();
  EXPECT_TRUE(p.set_running());
  EXPECT_TRUE(f.running());
  EXPECT_FALSE(f.cancel());
  EXPECT_THROW((void)p.set_running(), tandem::invalid_state_error);
  p.set_value(1);
  EXPECT_EQ(f.get(), 1);
}

TEST(Promise, FutureIsToBeHadOnce) {
  tandem::promise<int> p;
  auto f = p.get_future();
  EXPECT_THROW((void)p.get_future(), tandem::invalid_state_error);
  p.set_value(1);
}

TEST(Promise, ThrowingValueConstructorBecomesTheOutcomeAndPasses) {
  struct fragile {
    explicit fragile(int) { throw std::out_of_range("far"); }
  };
  tandem::promise<fragile> p;
  auto f = p.get_future();
  EXPECT_THROW(p.set_value(1), std::out_of_range);
  EXPECT_THROW(f.get(), std::out_of_range);
}

TEST(Promise, TakesBracedConvertedReferenceAndMoveOnlyValues) {
  tandem::promise<std::vector<int>> braced;
  auto f = braced.get_future();
  braced.set_value({1, 2, 3});
  EXPECT_EQ(f.get().size(), 3U);

  tandem::promise<std::string> converted;
  auto g = converted.get_future();
  converted.set_value("text");
  EXPECT_EQ(g.get(), "text");

  int x = 1;
  tandem::promise<int&> reference;
  auto h = reference.get_future();
  reference.set_value(x);
  EXPECT_EQ(&h.get(), &x);

  tandem::promise<std::unique_ptr<int>> owner;
  auto i = owner.get_future();
  owner.set_value(std::make_unique<int>(4));
  EXPECT_EQ(*i.get(), 4);
}

}  // namespace
