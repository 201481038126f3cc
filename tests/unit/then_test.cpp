// future::then(), shared_future::then(): what is not the same for every backend, and what must hold in odd places.
#include <tandem/future.hpp>
#include <tandem/inline_executor.hpp>
#include <tandem/thread_pool.hpp>
#include <tandem/when_all.hpp>
#include <tandem/when_any.hpp>

#include <malloc.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/manual_executor.hpp"

namespace {

using tandem::future;
using tandem::future_state;
using tandem::promise;
using tandem::shared_future;
using tandem::test::manual_executor;

template <class T>
future<T> ready(T value) {
  promise<T> p;
  p.set_value(std::move(value));
  return p.get_future();
}

TEST(Then, GetsTheValueWhenItIsThere) {
  promise<int> p;
  auto f = p.get_future();
  future<std::string> g = f.then([](int x) { return std::to_string(x); });
  EXPECT_FALSE(f.valid());
  EXPECT_EQ(g.state(), future_state::pending);
  p.set_value(7);
  EXPECT_EQ(g.get(), "7");
}

TEST(Then, RunsAtOnceOnWhatIsDone) {
  const auto here = std::this_thread::get_id();
  EXPECT_EQ(ready(1).then([](int) { return std::this_thread::get_id(); }).get(), here);
}

TEST(Then, OfVoidTakesNothing) {
  promise<void> p;
  auto g = p.get_future().then([] { return 3; }).then([](int) {}).then([] { return 4; });
  p.set_value();
  EXPECT_EQ(g.get(), 4);
}

TEST(Then, MoveOnlyValuesAndFunctionsPass) {
  auto g = ready(std::make_unique<int>(5)).then([extra = std::make_unique<int>(2)](std::unique_ptr<int> p) {
    return std::make_unique<int>(*p + *extra);
  });
  EXPECT_EQ(*g.get(), 7);
}

TEST(Then, ReferencesStayReferences) {
  int x = 1;
  promise<int&> p;
  auto g = p.get_future().then([](int& r) -> int& { return r; });
  p.set_value(x);
  EXPECT_EQ(&g.get(), &x);
}

TEST(Then, ExceptionSkipsToTheEnd) {
  promise<int> p;
  int called = 0;
  auto g = p.get_future().then([&](int x) { return ++called, x; }).then([&](int x) { return ++called, x; });
  p.set_exception(std::make_exception_ptr(std::out_of_range("far")));
  EXPECT_THROW((void)g.get(), std::out_of_range);
  EXPECT_EQ(called, 0);
}

TEST(Then, CancelSkipsToTheEndToo) {
  promise<int> p;
  auto f = p.get_future().share();
  auto g = f.then([](int x) { return x; }).then([](int x) { return x; });
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(g.cancelled());
}

TEST(Then, TheFinishedFutureIsGivenWhateverItsOutcome) {
  promise<int> p;
  auto g = p.get_future().then([](future<int> f) {
    try {
      return f.get();
    } catch (const std::runtime_error&) {
      return -1;
    }
  });
  p.set_exception(std::make_exception_ptr(std::runtime_error("no")));
  EXPECT_EQ(g.get(), -1);
}

TEST(Then, WhatTheFunctionThrowsIsTheOutcome) {
  EXPECT_THROW(ready(1).then([](int) -> int { throw std::length_error("long"); }).get(), std::length_error);
}

TEST(Then, FutureOfAFutureIsUnwrapped) {
  promise<int> inner;
  future<int> g = ready(1).then([&](int) { return inner.get_future(); });
  EXPECT_EQ(g.state(), future_state::running);
  inner.set_value(9);
  EXPECT_EQ(g.get(), 9);
  future<int> deep = ready(1).then([](int) { return ready(ready(ready(8))); });
  EXPECT_EQ(deep.get(), 8);
}

TEST(Then, FailureOfTheInnerFutureIsTheOutcome) {
  promise<int> failing;
  auto g = ready(1).then([&](int) { return failing.get_future(); });
  failing.set_exception(std::make_exception_ptr(std::domain_error("d")));
  EXPECT_THROW((void)g.get(), std::domain_error);
  promise<int> cancelled;
  auto inner = cancelled.get_future();
  auto h = ready(1).then([&](int) { return std::move(inner); });
  // Only the promise's side can be cancelled now: by a second handle.
  EXPECT_EQ(h.state(), future_state::running);
  cancelled = promise<int>();
  EXPECT_THROW((void)h.get(), std::future_error);
  auto none = ready(1).then([](int) { return future<int>(); });
  EXPECT_THROW((void)none.get(), tandem::invalid_state_error);
}

TEST(Then, CancelledOneIsNotCalledAndFreesItsFunction) {
  promise<int> p;
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  auto g = p.get_future().then([token = std::move(token)](int x) { return x + *token; });
  EXPECT_TRUE(g.cancel());
  EXPECT_TRUE(alive.expired());
  p.set_value(1);
  EXPECT_TRUE(g.cancelled());
}

TEST(Then, CancelledByAnEarlierCallbackOfItsPredecessorIsNotCalled) {
  promise<int> p;
  const shared_future<int> f = p.get_future().share();
  future<int> g;
  f.on_done([&] { EXPECT_TRUE(g.cancel()); });
  bool called = false;
  g = f.then([&](int x) {
    called = true;
    return x;
  });
  p.set_value(1);
  EXPECT_FALSE(called);
  EXPECT_TRUE(g.cancelled());
}

TEST(Then, CancelledInTheQueueItLetsTheValueGo) {
  manual_executor pool;
  auto value = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = value;
  auto g = ready(std::move(value)).then(pool, [](const std::shared_ptr<int>& x) { return *x; });
  EXPECT_FALSE(alive.expired());
  EXPECT_TRUE(g.cancel());
  EXPECT_TRUE(alive.expired()) << "though it is still in the queue";
  pool.run_all();
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which have an allocator of their own
std::size_t allocated_bytes() { return mallinfo2().uordblks; }
#else
std::size_t allocated_bytes() { return 0; }
#endif

TEST(Then, CancelledOnesLeaveNothingInAPredecessorThatLives) {
  promise<int> p;
  const shared_future<int> f = p.get_future().share();
  const auto come_and_go = [&f](int times) {
    for (int i = 0; i < times; ++i) EXPECT_TRUE(f.then([](int x) { return x; }).cancel());
  };
  come_and_go(10);
  const std::size_t before = allocated_bytes();
  come_and_go(1000);
  EXPECT_LT(allocated_bytes(), before + 10'000);
  p.set_value(1);
}

TEST(Then, DroppedOneIsStillCalled) {
  promise<int> p;
  int got = 0;
  (void)p.get_future().then([&](int x) { got = x; });
  p.set_value(4);
  EXPECT_EQ(got, 4);
}

TEST(Then, SharedFutureKeepsItsState) {
  promise<std::string> p;
  const shared_future<std::string> f = p.get_future().share();
  auto size = f.then([](const std::string& s) { return s.size(); });
  auto first = f.then([](shared_future<std::string> s) { return s.get().front(); });
  p.set_value("hello");
  EXPECT_EQ(size.get(), 5U);
  EXPECT_EQ(first.get(), 'h');
  EXPECT_EQ(f.get(), "hello");
}

TEST(Then, WithoutAStateIsAnError) {
  future<int> none;
  EXPECT_THROW((void)none.then([](int x) { return x; }), tandem::invalid_state_error);
}

TEST(Then, OnAnExecutorIsATaskOfIt) {
  manual_executor pool(1);
  promise<int> p;
  auto g = p.get_future().then(pool, [](int x) { return x + 1; });
  EXPECT_EQ(pool.queued(), 0U);
  p.set_value(1);
  EXPECT_EQ(pool.queued(), 1U);
  EXPECT_EQ(g.state(), future_state::pending);
  pool.run_all();
  EXPECT_EQ(g.get(), 2);
}

TEST(Then, FailureDoesNotTroubleTheExecutor) {
  manual_executor pool(1);
  promise<int> p;
  auto g = p.get_future().then(pool, [](int x) { return x + 1; });
  p.set_exception(std::make_exception_ptr(std::out_of_range("far")));
  EXPECT_EQ(pool.queued(), 0U);
  EXPECT_THROW((void)g.get(), std::out_of_range);
}

TEST(Then, RefusalByTheExecutorIsTheOutcome) {
  tandem::thread_pool pool({.max_workers = 1});
  pool.shutdown();
  EXPECT_THROW((void)ready(1).then(pool, [](int x) { return x; }).get(), tandem::shutdown_error);
}

TEST(Then, WaiterOnAWorkerMayRunItInPlaceOnlyWhenItsTurnHasCome) {
  tandem::thread_pool pool({.max_workers = 1, .max_spare_workers = 0});
  promise<int> p;
  auto source = p.get_future();
  EXPECT_EQ(pool.submit([&] {
                  auto g = source.then(pool, [](int x) { return 2 * x; });
                  std::thread setter([&] { p.set_value(21); });
                  setter.join();
                  return g.get();
                })
                .get(),
            42);
}

TEST(Then, ChainOfAHundredThousandNeedsNoStack) {
  promise<int> p;
  auto f = p.get_future();
  for (int i = 0; i < 100'000; ++i) f = f.then([](int x) { return x + 1; });
  p.set_value(0);
  EXPECT_EQ(f.get(), 100'000);
  promise<int> q;
  auto failing = q.get_future();
  for (int i = 0; i < 100'000; ++i) failing = failing.then([](int x) { return x + 1; });
  q.set_exception(std::make_exception_ptr(std::out_of_range("far")));
  EXPECT_THROW((void)failing.get(), std::out_of_range);
}

TEST(Then, ChainThatIsDroppedUnfinishedNeedsNoStack) {
  auto p = std::make_unique<promise<int>>();
  auto f = p->get_future();
  for (int i = 0; i < 100'000; ++i) f = f.then([](int x) { return x + 1; });
  p.reset();  // broken
  EXPECT_THROW((void)f.get(), std::future_error);
}

TEST(Then, LoopOfFuturesThatReturnFuturesNeedsNoStack) {
  tandem::thread_pool pool({.max_workers = 1});
  std::function<future<int>(int)> count_down = [&](int n) {
    if (n == 0) return ready(0);
    return pool.submit([n] { return n - 1; }).then([&](int m) { return count_down(m); });
  };
  EXPECT_EQ(count_down(20'000).get(), 0);
}

TEST(Then, LoopOfFuturesThatAreDoneNeedsNoStack) {
  std::function<future<int>(int)> count_down = [&](int n) {
    if (n == 0) return ready(0);
    return ready(n - 1).then([&](int m) { return count_down(m); });
  };
  EXPECT_EQ(count_down(200'000).get(), 0);
}

TEST(Then, RefusedOneLetsItsPredecessorGo) {
  tandem::thread_pool closed({.max_workers = 1});
  closed.shutdown();
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  auto g = ready(std::move(token)).then(closed, [](const std::shared_ptr<int>& p) { return *p; });
  EXPECT_TRUE(alive.expired());
  EXPECT_THROW((void)g.get(), tandem::shutdown_error);
}

// The thread that ends the predecessor may still be in the executor when the result is there.
TEST(Then, ExecutorMayGoAsSoonAsTheResultIsThere) {
  tandem::thread_pool first({.max_workers = 1});
  for (int i = 0; i < 500; ++i) {
    tandem::inline_executor here;
    EXPECT_EQ(first.submit([i] { return i; }).then(here, [](int x) { return x + 1; }).get(), i + 1);
  }
  for (int i = 0; i < 500; ++i) {
    tandem::thread_pool second({.max_workers = 1});
    EXPECT_EQ(first.submit([i] { return i; }).then(second, [](int x) { return x + 1; }).get(), i + 1);
  }
}

TEST(Then, CountsAsFinishedWhenItsWorkerIsDone) {
  tandem::thread_pool pool({.max_workers = 1});
  promise<int> inner;
  auto g = ready(1).then(pool, [&](int) { return inner.get_future(); });
  pool.submit([] {}).get();
  while (pool.stats().running != 0) std::this_thread::yield();
  EXPECT_EQ(pool.stats().finished, 2);
  inner.set_value(1);
  EXPECT_EQ(g.get(), 1);
  EXPECT_EQ(pool.stats().finished, 2);
}

TEST(WhenAll, OfNothingIsDone) {
  EXPECT_TRUE(tandem::when_all(std::vector<future<int>>()).is_ready());
  EXPECT_TRUE(tandem::when_all().is_ready());
}

TEST(WhenAll, GivesTheFuturesWhenAllAreDone) {
  std::vector<promise<int>> ps(3);
  std::vector<future<int>> fs;
  for (auto& p : ps) fs.push_back(p.get_future());
  auto all = tandem::when_all(std::move(fs));
  ps[2].set_value(2);
  ps[0].set_exception(std::make_exception_ptr(std::out_of_range("far")));
  EXPECT_FALSE(all.is_ready());
  ps[1].set_value(1);
  auto done = all.get();
  EXPECT_THROW((void)done[0].get(), std::out_of_range);
  EXPECT_EQ(done[1].get() + done[2].get(), 3);
}

TEST(WhenAll, TakesFuturesOfDifferentTypesAndExecutors) {
  tandem::thread_pool pool({.max_workers = 1});
  promise<std::string> p;
  auto all = tandem::when_all(pool.submit([] { return 1; }), p.get_future(), ready(2.5).share());
  p.set_value("x");
  auto sum = all.then([](auto parts) {
    auto& [i, s, d] = parts;
    return std::to_string(i.get()) + s.get() + std::to_string(static_cast<int>(2 * d.get()));
  });
  EXPECT_EQ(sum.get(), "1x5");
}

TEST(WhenAll, FutureWithoutAStateIsAnError) {
  EXPECT_THROW((void)tandem::when_all(ready(1), future<int>()), tandem::invalid_state_error);
}

TEST(WhenAll, CancelledOneLetsTheFuturesGo) {
  promise<std::shared_ptr<int>> p;
  promise<int> never;
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  p.set_value(std::move(token));
  auto all = tandem::when_all(p.get_future(), never.get_future());
  EXPECT_TRUE(all.cancel());
  p = promise<std::shared_ptr<int>>();
  EXPECT_TRUE(alive.expired());
  never.set_value(1);
}

TEST(WhenAny, OfNothingIsDoneAndTellsNone) {
  EXPECT_EQ(tandem::when_any(std::vector<future<int>>()).get().index,
            std::numeric_limits<std::size_t>::max());
}

TEST(WhenAny, TellsTheFirst) {
  std::vector<promise<int>> ps(3);
  std::vector<future<int>> fs;
  for (auto& p : ps) fs.push_back(p.get_future());
  auto any = tandem::when_any(std::move(fs));
  EXPECT_FALSE(any.is_ready());
  ps[1].set_value(5);
  ps[0].set_value(6);
  auto first = any.get();
  EXPECT_EQ(first.index, 1U);
  EXPECT_EQ(first.futures[1].get(), 5);
  EXPECT_FALSE(first.futures[2].is_ready());
  ps[2].set_value(7);
  EXPECT_EQ(first.futures[2].get(), 7);
}

TEST(WhenAny, OfTheDoneOnesTellsTheFirst) {
  promise<int> p;
  EXPECT_EQ(tandem::when_any(p.get_future(), ready(1), ready(2)).get().index, 1U);
}

TEST(WhenAny, LeavesNothingInTheOthers) {
  promise<int> slow;
  const auto f = slow.get_future().share();
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  for (int i = 0; i < 1000; ++i) {
    promise<std::shared_ptr<int>> quick;
    auto any = tandem::when_any(f, quick.get_future());
    quick.set_value(token);
    EXPECT_EQ(any.get().index, 1U);
  }
  token.reset();
  EXPECT_TRUE(alive.expired());
  slow.set_value(1);
}

TEST(WhenAny, LeavesNothingInTheOthersWhenManyThreadsUseThem) {
  promise<int> slow;
  const auto f = slow.get_future().share();
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([f, token] {
      for (int i = 0; i < 2000; ++i) {
        promise<std::shared_ptr<int>> quick;
        auto any = tandem::when_any(f, quick.get_future());
        quick.set_value(token);
        (void)any.get();
      }
    });
  }
  for (auto& t : threads) t.join();
  token.reset();
  EXPECT_TRUE(alive.expired());
  slow.set_value(1);
}

}  // namespace
