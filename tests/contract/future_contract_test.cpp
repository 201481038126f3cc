// The contract of futures, as the tasks of a pool fulfil them.
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/gate.hpp"
#include "support/growth.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class Future : public fixture<Backend> {};
TYPED_TEST_SUITE(Future, backends, backend_names);

TYPED_TEST(Future, GivesItsValueOnce) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit(add_one, 1);
  EXPECT_EQ(f.get(), 2);
  EXPECT_THROW(f.get(), invalid_state_error);
  EXPECT_EQ(f.exception(), nullptr);
  EXPECT_EQ(f.state(), future_state::finished);
}

TYPED_TEST(Future, RethrowsAStandardExceptionAsItsType) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit(throw_out_of_range);
  try {
    f.get();
    FAIL() << "no exception";
  } catch (const std::out_of_range& e) {
    EXPECT_STREQ(e.what(), "too far");
  }
  EXPECT_THROW(f.get(), invalid_state_error);
  ASSERT_NE(f.exception(), nullptr);
  EXPECT_THROW(std::rethrow_exception(f.exception()), std::out_of_range);
}

TYPED_TEST(Future, ThrowsWhatIsNoStdException) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit(throw_number);
  if constexpr (TypeParam::in_process) {
    EXPECT_THROW(f.get(), int);
  } else {
    try {
      f.get();
      FAIL() << "no exception";
    } catch (const remote_error& e) {
      EXPECT_EQ(e.type_name(), "int");
    }
  }
}

TYPED_TEST(Future, CallbackIsCalledOnceWithTheFinishedFuture) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  if (!TypeParam::concurrent) gate.open();
  auto good = pool->submit(pass, gate.path());
  auto bad = pool->submit(pass_and_throw, gate.path());
  test::counter calls;
  std::vector<std::string> seen(2);
  good.on_done([&](future<int>& f) {
    seen[0] = f.state() == future_state::finished && f.exception() == nullptr ? "value" : "?";
    calls.add();
  });
  bad.on_done([&](future<int>& f) {
    seen[1] = f.state() == future_state::finished && f.exception() != nullptr ? "exception" : "?";
    calls.add();
  });
  if (TypeParam::concurrent) {
    EXPECT_EQ(calls.value(), 0);
  }
  gate.open();
  calls.wait_for(2);
  pool->shutdown();
  EXPECT_EQ(calls.value(), 2);
  EXPECT_EQ(seen, (std::vector<std::string>{"value", "exception"}));
}

TYPED_TEST(Future, CallbackAfterCompletionIsCalledAtOnce) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit(add_one, 1);
  f.wait();
  int value = 0;
  f.on_done([&](future<int>& done) { value = done.get(); });
  EXPECT_EQ(value, 2);
}

TYPED_TEST(Future, ThrowingCallbackIsReportedAndTheOthersRun) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  if (!TypeParam::concurrent) gate.open();
  test::counter calls;
  testing::internal::CaptureStderr();
  auto f = pool->submit(pass, gate.path());
  f.on_done([] { throw std::runtime_error("thrown by a callback"); });
  f.on_done([&] { calls.add(); });
  gate.open();
  calls.wait_for(1);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("thrown by a callback"), std::string::npos);
  EXPECT_EQ(f.get(), 1);
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
}

TYPED_TEST(Future, PendingIsCancelledAndNeverRuns) {
  if constexpr (!TypeParam::concurrent) {
    // It has run when there is a future to cancel.
    auto pool = TypeParam::make();
    auto f = pool->submit(count, this->path("ran"));
    EXPECT_EQ(f.state(), future_state::finished);
    EXPECT_FALSE(f.cancel());
    EXPECT_EQ(this->counter("ran").value(), 1);
    EXPECT_EQ(f.get(), 1);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto arrivals = this->counter("arrivals");
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  arrivals.wait_for(1);
  auto pending = pool->submit(count, this->path("ran"));
  EXPECT_EQ(pending.state(), future_state::pending);
  int calls = 0;
  pending.on_done([&](future<int>& f) { calls += f.cancelled() ? 1 : 100; });
  EXPECT_TRUE(pending.cancel());
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(pending.cancel()) << "a second time";
  EXPECT_TRUE(pending.cancelled());
  EXPECT_THROW(pending.get(), cancelled_error);
  EXPECT_THROW(pending.get(), invalid_state_error);
  gate.open();
  EXPECT_EQ(running.get(), 1);
  pool->shutdown();
  EXPECT_EQ(this->counter("ran").value(), 0);
}

TYPED_TEST(Future, CancelOfManyPendingOnesTakesNoQuadraticTime) {
  auto pool = TypeParam::make(1);
  int rounds = 0;
  EXPECT_LT(test::growth_over_eight([&](int many) {
              const std::string name = std::to_string(++rounds);
              auto gate = this->gate("gate" + name);
              if (!TypeParam::concurrent) gate.open();
              auto running = pool->submit(arrive_and_pass, this->path("arrivals" + name), gate.path());
              this->counter("arrivals" + name).wait_for(1);
              std::vector<future<int>> fs;
              fs.reserve(static_cast<std::size_t>(many));
              for (int i = 0; i < many; ++i) fs.push_back(pool->submit(add_one, i));
              // Neither the oldest nor the youngest first: each of them, as 7919 is prime.
              int cancelled = 0;
              for (int i = 0; i < many; ++i)
                cancelled += fs[static_cast<std::size_t>(i * 7919LL % many)].cancel() ? 1 : 0;
              EXPECT_EQ(cancelled, TypeParam::concurrent ? many : 0) << "without workers all have run";
              gate.open();
              EXPECT_EQ(running.get(), 1);
            }),
            24);
}

TYPED_TEST(Future, RunningIsAskedToStopWhenCancelled) {
  if constexpr (!TypeParam::concurrent) {
    // Nobody has the future while it runs.
    auto pool = TypeParam::make();
    auto f = pool->submit([] { return this_task::stop_requested(); });
    EXPECT_FALSE(f.running());
    EXPECT_FALSE(f.cancel());
    EXPECT_FALSE(f.get());
    return;
  }
  auto pool = TypeParam::make(1);
  auto f = pool->submit(run_until_stopped, this->path("arrivals"));
  this->counter("arrivals").wait_for(1);
  EXPECT_TRUE(f.running());
  EXPECT_FALSE(f.cancel());
  EXPECT_EQ(f.get(), 1);
  EXPECT_FALSE(f.cancelled());
  // The next task on that worker is not asked.
  EXPECT_FALSE(pool->submit([] { return this_task::stop_requested(); }).get());
}

TYPED_TEST(Future, FinishedCannotBeCancelled) {
  auto pool = TypeParam::make(1);
  auto value = pool->submit(add_one, 1);
  auto error = pool->submit(throw_out_of_range);
  value.wait();
  error.wait();
  EXPECT_FALSE(value.cancel());
  EXPECT_FALSE(error.cancel());
  EXPECT_EQ(value.get(), 2);
  EXPECT_THROW(error.get(), std::out_of_range);
}

TYPED_TEST(Future, TimeoutsLeaveItUsable) {
  if constexpr (!TypeParam::concurrent) {
    // No time is ever over: it is done.
    auto pool = TypeParam::make();
    auto f = pool->submit(add_one, 1);
    EXPECT_TRUE(f.wait_for(0s));
    EXPECT_EQ(f.exception(0s), nullptr);
    EXPECT_EQ(f.get(0s), 2);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  auto pending = pool->submit(add_one, 1);
  this->counter("arrivals").wait_for(1);
  for (auto* f : {&running, &pending}) {
    EXPECT_FALSE(f->wait_for(0s));
    EXPECT_FALSE(f->wait_for(2ms));
    EXPECT_THROW(f->get(0s), timeout_error);
    EXPECT_THROW(f->get(2ms), timeout_error);
    EXPECT_THROW((void)f->exception(0s), timeout_error);
  }
  gate.open();
  EXPECT_EQ(running.get(30s), 1);
  EXPECT_EQ(pending.get(30s), 2);
}

TYPED_TEST(Future, DroppedNeitherBlocksNorCancels) {
  auto pool = TypeParam::make(1);
  {
    auto gate = this->gate();
    if (!TypeParam::concurrent) gate.open();
    (void)pool->submit(pass, gate.path());
    (void)pool->submit(count, this->path("ran"));
  }
  pool->shutdown();
  EXPECT_EQ(this->counter("ran").value(), 1);
}

TYPED_TEST(Future, ArgumentsAreDestroyedBeforeItIsReady) {
  auto pool = TypeParam::make(1);
  auto argument = std::make_shared<int>(5);
  const std::weak_ptr<int> alive = argument;
  auto f = pool->submit([](std::shared_ptr<int> p) { return *p; }, std::move(argument));
  f.wait();
  EXPECT_TRUE(alive.expired());
  EXPECT_EQ(f.get(), 5);
}

TYPED_TEST(Future, ArgumentsAreDestroyedByCancel) {
  if constexpr (!TypeParam::concurrent) {
    // They are gone before anybody could cancel.
    auto pool = TypeParam::make();
    auto argument = std::make_shared<int>(5);
    const std::weak_ptr<int> alive = argument;
    auto f = pool->submit([](std::shared_ptr<int> p) { return *p; }, std::move(argument));
    EXPECT_TRUE(alive.expired());
    EXPECT_FALSE(f.cancel());
    EXPECT_EQ(f.get(), 5);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  (void)pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  auto argument = std::make_shared<int>(5);
  const std::weak_ptr<int> alive = argument;
  auto f = pool->submit([](std::shared_ptr<int> p) { return *p; }, std::move(argument));
  EXPECT_FALSE(alive.expired());
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(alive.expired());
}

TYPED_TEST(Future, CallableAndResultAreDestroyedThoughItWasDropped) {
  if constexpr (!TypeParam::in_process) {
    // What is sent is a copy; the original goes as well.
    auto pool = TypeParam::make(1);
    auto argument = std::make_shared<int>(1);
    const std::weak_ptr<int> alive = argument;
    (void)pool->submit([](std::shared_ptr<int> p) { return *p; }, std::move(argument));
    pool->shutdown();
    EXPECT_TRUE(alive.expired());
  } else {
    auto pool = TypeParam::make(1);
    auto captured = std::make_shared<int>(1);
    auto result = std::make_shared<int>(2);
    const std::weak_ptr<int> callable_lives = captured;
    const std::weak_ptr<int> result_lives = result;
    (void)pool->submit(
        [captured = std::move(captured), result = std::move(result)]() mutable { return std::move(result); });
    pool->shutdown();
    EXPECT_TRUE(callable_lives.expired());
    EXPECT_TRUE(result_lives.expired());
  }
}

TYPED_TEST(Future, BlockedWaitersAllWake) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  if (!TypeParam::concurrent) gate.open();
  shared_future<int> value = pool->submit(pass, gate.path());
  shared_future<int> error = pool->submit(pass_and_throw, gate.path());
  std::vector<std::thread> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([value, error, i] {
      if (i % 2 == 0) {
        EXPECT_EQ(value.get(), 1);
      } else {
        EXPECT_THROW(error.get(), std::out_of_range);
      }
    });
  }
  gate.open();
  for (auto& w : waiters) w.join();
}

TYPED_TEST(Future, BlockedWaiterWakesWhenItIsCancelled) {
  if constexpr (!TypeParam::concurrent) {
    // Nobody has to wait.
    auto pool = TypeParam::make();
    shared_future<int> done = pool->submit(add_one, 1);
    std::thread([done] { EXPECT_EQ(done.get(), 2); }).join();
    EXPECT_FALSE(done.cancel());
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  shared_future<int> pending = pool->submit(pass, gate.path());
  std::thread waiter([pending] { EXPECT_THROW(pending.get(), cancelled_error); });
  EXPECT_TRUE(pending.cancel());
  waiter.join();
}

}  // namespace
}  // namespace tandem::contract
