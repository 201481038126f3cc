// on_done(): when callbacks are called, with what, in which order, and what they may do.
#include <tandem/as_completed.hpp>
#include <tandem/detail/completion_queue.hpp>
#include <tandem/future.hpp>
#include <tandem/wait.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/gate.hpp"
#include "support/manual_executor.hpp"

namespace {

using namespace std::chrono_literals;
using tandem::future_state;
using tandem::test::manual_executor;

struct seen {
  int calls = 0;
  std::optional<future_state> state;
};

template <class Future>
void watch(Future& f, seen& s) {
  f.on_done([&s](Future& done) {
    ++s.calls;
    s.state = done.state();
  });
}

TEST(OnDone, BeforeCompletionIsCalledOnceWithTheFinishedFuture) {
  manual_executor pool;
  seen value;
  seen error;
  seen cancelled;
  auto v = pool.submit([] { return 1; });
  auto e = pool.submit([]() -> int { throw 1; });
  auto c = pool.submit([] { return 1; });
  watch(v, value);
  watch(e, error);
  watch(c, cancelled);
  EXPECT_EQ(value.calls + error.calls + cancelled.calls, 0);
  EXPECT_TRUE(c.cancel());
  EXPECT_EQ(cancelled.calls, 1) << "called by cancel()";
  pool.run_all();
  EXPECT_EQ(value.calls, 1);
  EXPECT_EQ(value.state, future_state::finished);
  EXPECT_EQ(error.calls, 1);
  EXPECT_EQ(error.state, future_state::finished);
  EXPECT_EQ(cancelled.calls, 1);
  EXPECT_EQ(cancelled.state, future_state::cancelled);
}

TEST(OnDone, AfterCompletionIsCalledAtOnce) {
  manual_executor pool;
  auto v = pool.submit([] { return 1; });
  auto e = pool.submit([]() -> int { throw 1; });
  auto c = pool.submit([] { return 1; });
  (void)c.cancel();
  pool.run_all();
  for (auto* f : {&v, &e, &c}) {
    seen s;
    watch(*f, s);
    EXPECT_EQ(s.calls, 1);
    EXPECT_EQ(s.state, f->state());
  }
  EXPECT_EQ(v.get(), 1) << "the callbacks took nothing";
}

TEST(OnDone, CallbackMayTakeNothingTheFutureOrItsValue) {
  manual_executor pool;
  auto f = pool.submit([] { return 7; });
  bool plain = false;
  int value = 0;
  f.on_done([&] { plain = true; });
  f.on_done([&](tandem::future<int>& done) { value = done.get(); });
  pool.run_all();
  EXPECT_TRUE(plain);
  EXPECT_EQ(value, 7);
}

TEST(OnDone, MoveOnlyCallbackIsKeptAndDestroyedAfterItsCall) {
  manual_executor pool;
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  auto f = pool.submit([] {});
  f.on_done([owner = std::make_unique<std::shared_ptr<int>>(std::move(token))] {});
  EXPECT_FALSE(alive.expired());
  pool.run_all();
  EXPECT_TRUE(alive.expired());
}

TEST(OnDone, CallbacksAreCalledInTheOrderOfRegistration) {
  tandem::promise<void> p;
  auto f = p.get_future();
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) f.on_done([&order, i] { order.push_back(i); });
  p.set_value();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(OnDone, CallbacksStayInOrderWhenAWaiterGivesUpMeanwhile) {
  tandem::promise<int> p;
  auto f = p.get_future();
  std::vector<int> order;
  f.on_done([&] { order.push_back(1); });
  f.on_done([&] { order.push_back(2); });
  // As a waiter does whose time is over: it has the list in its hands while others are registered.
  bool more = true;
  tandem::detail::access::state(f)->detach([&](const tandem::detail::callback*) {
    if (std::exchange(more, false)) {
      f.on_done([&] { order.push_back(3); });
      f.on_done([&] { order.push_back(4); });
    }
    return false;
  });
  p.set_value(1);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(OnDone, CallbacksAreCalledThoughItCompletesWhileAWaiterGivesUp) {
  tandem::promise<int> p;
  auto f = p.get_future();
  std::vector<int> order;
  f.on_done([&] { order.push_back(1); });
  f.on_done([&] { order.push_back(2); });
  bool more = true;
  tandem::detail::access::state(f)->detach([&](const tandem::detail::callback*) {
    if (std::exchange(more, false)) p.set_value(1);
    return false;
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2})) << "called by who had the list";
}

// Only counts what becomes of it.
struct counted_callback final : tandem::detail::callback {
  counted_callback() : callback(kind::wake) {}
  void fire(tandem::detail::core&) noexcept override { ++fired; }
  void drop() noexcept override { ++dropped; }
  int fired = 0;
  int dropped = 0;
};

TEST(OnDone, WaiterThatGivesUpWaitsForAnotherOneThatDoes) {
  tandem::promise<int> p;
  auto f = p.get_future();
  tandem::detail::core* core = tandem::detail::access::state(f);
  counted_callback mine;
  ASSERT_TRUE(core->try_attach(&mine));
  tandem::test::gate list_is_out;
  std::atomic<bool> found{false};
  std::atomic<bool> over{false};
  std::thread other([&] {
    list_is_out.wait();
    found = core->detach([&](const tandem::detail::callback* c) { return c == &mine; });
    over = true;
  });
  core->detach([&](const tandem::detail::callback*) {
    list_is_out.open();
    // Time for the other one to look into the empty list, if it could; it cannot, so this always ends by itself.
    for (int i = 0; i < 20'000 && !over; ++i) std::this_thread::yield();
    EXPECT_FALSE(over) << "the other one has seen the list without its callback";
    return false;
  });
  other.join();
  EXPECT_TRUE(found);
  EXPECT_EQ(mine.dropped, 1);
  p.set_value(1);
  EXPECT_EQ(mine.fired, 0);
}

TEST(OnDone, WaitThatIsOverLeavesNothingInTheFuture) {
  tandem::promise<int> p;
  std::vector<tandem::shared_future<int>> fs{p.get_future()};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(tandem::wait(fs, tandem::return_when::all_completed, 1us).not_done.size(), 1U);
    auto never_read = tandem::as_completed(fs);
  }
  int left = 0;
  tandem::detail::access::state(fs[0])->detach([&](const tandem::detail::callback*) {
    ++left;
    return false;
  });
  EXPECT_EQ(left, 0);
  p.set_value(1);
}

// For AddressSanitizer: what tells a waiter that is gone must free itself.
TEST(OnDone, CompletionThatComesTooLateFindsTheWaiterGone) {
  struct ends_the_wait final : tandem::detail::callback {
    ends_the_wait() : callback(kind::wake) {}
    void fire(tandem::detail::core&) noexcept override { waiter.reset(); }
    void drop() noexcept override {}
    std::optional<tandem::detail::completion_queue> waiter;
  };
  tandem::promise<int> p;
  auto f = p.get_future();
  tandem::detail::core* core = tandem::detail::access::state(f);
  ends_the_wait first;
  ASSERT_TRUE(core->try_attach(&first));
  first.waiter.emplace();
  first.waiter->watch(*core, 0);
  p.set_value(1);  // tells first, whose waiter goes, and then that waiter
  EXPECT_FALSE(first.waiter.has_value());
  EXPECT_EQ(f.get(), 1);
}

TEST(OnDone, ThrowingCallbackIsReportedAndTheOthersRun) {
  tandem::promise<void> p;
  auto f = p.get_future();
  int calls = 0;
  f.on_done([&] { ++calls; });
  f.on_done([&] {
    ++calls;
    throw std::out_of_range("thrown by the second callback");
  });
  f.on_done([&] {
    ++calls;
    throw 3;
  });
  f.on_done([&] { ++calls; });
  testing::internal::CaptureStderr();
  p.set_value();
  const std::string report = testing::internal::GetCapturedStderr();
  EXPECT_EQ(calls, 4);
  EXPECT_NE(report.find("thrown by the second callback"), std::string::npos) << report;
  EXPECT_NE(report.find("not a std::exception"), std::string::npos) << report;
  testing::internal::CaptureStderr();
  EXPECT_NO_THROW(f.on_done([] { throw std::out_of_range("late"); }));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("late"), std::string::npos);
}

TEST(OnDone, StaysWhenTheFutureIsDropped) {
  manual_executor pool;
  int calls = 0;
  pool.submit([] {}).on_done([&] { ++calls; });
  pool.run_all();
  EXPECT_EQ(calls, 1);
}

TEST(OnDone, MayBeRegisteredByACallback) {
  tandem::promise<int> p;
  tandem::shared_future<int> f = p.get_future();
  int inner = 0;
  f.on_done([&](tandem::shared_future<int>& done) { done.on_done([&] { ++inner; }); });
  p.set_value(1);
  EXPECT_EQ(inner, 1);
}

TEST(OnDone, ChainOfCompletionsDoesNotGrowTheStack) {
  constexpr int length = 200'000;  // frames of this many nested calls would need far more than 8 MiB
  std::vector<tandem::promise<int>> promises(length);
  for (int i = 0; i + 1 < length; ++i) {
    promises[static_cast<std::size_t>(i)].get_future().on_done([&promises, i](tandem::future<int>& done) {
      promises[static_cast<std::size_t>(i) + 1].set_value(done.get() + 1);
    });
  }
  auto last = promises.back().get_future();
  promises.front().set_value(1);
  EXPECT_EQ(last.get(), length);
}

TEST(OnDone, FanOutOfCompletionsCostsNoQuadraticTime) {
  // One callback completes many futures that have callbacks themselves. 200,000^2 steps would take a minute.
  constexpr std::size_t many = 200'000;
  std::vector<tandem::promise<void>> promises(many);
  std::size_t calls = 0;
  for (auto& p : promises) p.get_future().on_done([&calls] { ++calls; });
  tandem::promise<void> first;
  first.get_future().on_done([&] {
    for (auto& p : promises) p.set_value();
  });
  const auto begin = std::chrono::steady_clock::now();
  first.set_value();
  EXPECT_EQ(calls, many);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

// Callbacks that complete further futures put the callbacks of those off until they return. Whoever waits inside a
// callback must not wait for what it has put off itself.
TEST(OnDone, CallbackMayWaitForWhatItCompleted) {
  tandem::promise<void> outer;
  tandem::promise<int> middle;
  tandem::promise<int> inner;
  auto inner_future = inner.get_future();
  middle.get_future().on_done([&](tandem::future<int>& done) { inner.set_value(done.get() + 1); });
  int got = 0;
  outer.get_future().on_done([&] {
    middle.set_value(1);
    got = inner_future.get();
  });
  outer.set_value();
  EXPECT_EQ(got, 2);
}

TEST(OnDone, CallbackMayUseAsCompleted) {
  tandem::promise<void> outer;
  tandem::promise<int> inner;
  auto inner_future = inner.get_future().share();
  int got = 0;
  outer.get_future().on_done([&] {
    std::vector<tandem::shared_future<int>> fs{inner_future};
    auto range = tandem::as_completed(fs);
    inner.set_value(4);
    for (auto& f : range) got = f.get();
  });
  outer.set_value();
  EXPECT_EQ(got, 4);
}

TEST(OnDone, CallbackOnAWorkerMayMapOnItsOwnPool) {
  manual_executor pool;
  manual_executor::worker_scope worker(pool);
  std::vector<int> squares;
  pool.submit([] {}).on_done([&] {
    squares = pool.map([](int x) { return x * x; }, std::vector<int>{1, 2, 3});
  });
  pool.run_one();
  EXPECT_EQ(squares, (std::vector<int>{1, 4, 9}));
}

TEST(OnDone, CallbackOnAWorkerMayWaitForSeveralTasksOfItsOwnPool) {
  manual_executor pool;
  manual_executor::worker_scope worker(pool);
  std::size_t done = 0;
  pool.submit([] {}).on_done([&] {
    std::vector<tandem::future<int>> fs;
    for (int i = 0; i < 3; ++i) fs.push_back(pool.submit([i] { return i; }));
    done = tandem::wait(fs).done.size();
  });
  pool.run_one();
  EXPECT_EQ(done, 3U);
}

TEST(OnDone, SlowCallbackHoldsUpNoWaiter) {
  // The callback was registered before the waiters, and ends only after them.
  tandem::test::gate waited;
  tandem::promise<int> p;
  tandem::shared_future<int> f = p.get_future();
  f.on_done([&] { waited.wait(); });
  tandem::test::counter waiting;
  std::thread waiter([&] {
    const tandem::test::gate_opener opener(waited);
    std::vector<tandem::shared_future<int>> fs{f};
    auto range = tandem::as_completed(fs, 30s);  // registered from here on
    waiting.add();
    for (auto& done : range) EXPECT_EQ(done.get(), 1);
  });
  waiting.wait_for(1);
  p.set_value(1);
  waiter.join();
}

TEST(OnDone, PromiseMayBeDestroyedAsSoonAsTheFutureIsReady) {
  // The setter is still calling a callback when the waiter, which saw the value, destroys promise and future.
  tandem::test::gate in_callback;
  tandem::test::gate destroyed;
  auto p = std::make_unique<tandem::promise<int>>();
  auto f = p->get_future();
  int last = 0;
  f.on_done([&] {
    in_callback.open();
    destroyed.wait();
  });
  f.on_done([&](tandem::future<int>& done) { last = done.get(); });
  std::thread setter([&] { p->set_value(3); });
  in_callback.wait();
  EXPECT_TRUE(f.is_ready());
  f = {};
  p.reset();
  destroyed.open();
  setter.join();
  EXPECT_EQ(last, 3);
}

}  // namespace
