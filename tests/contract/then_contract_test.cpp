// The contract of then(), when_all() and when_any() on futures of every backend.
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/processes.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class Then : public fixture<Backend> {};
TYPED_TEST_SUITE(Then, backends, backend_names);

TYPED_TEST(Then, ContinuesATaskWithItsValue) {
  auto pool = TypeParam::make(2);
  auto f = pool->submit(add_one, 1).then([](int x) { return std::to_string(x); });
  EXPECT_EQ(f.get(), "2");
  auto g = pool->submit(nothing).then([] { return 7; });
  EXPECT_EQ(g.get(), 7);
}

TYPED_TEST(Then, RunsOnTheExecutorThatItNames) {
  auto pool = TypeParam::make(1);
  const int worker = pool->submit(worker_id).get();
  auto f = pool->submit(add_one, 1).then(*pool, [](int) { return worker_id(); });
  EXPECT_EQ(f.get(), worker);
  executor& any = *pool;
  auto g = pool->submit(add_one, 1).then(any, [](int) { return worker_id(); });
  EXPECT_EQ(g.get(), worker);
  auto h = pool->submit(nothing).then(*pool, worker_id);
  EXPECT_EQ(h.get(), worker);
}

TYPED_TEST(Then, GoesFromExecutorToExecutor) {
  auto pool = TypeParam::make(1);
  thread_pool other({.max_workers = 1});
  auto f = pool->submit(add_one, 1).then(other, add_one).then(*pool, add_one).then(other, [](int x) {
    return 10 * x;
  });
  EXPECT_EQ(f.get(), 40);
}

TYPED_TEST(Then, ExceptionSkipsToTheEnd) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit(throw_out_of_range).then(*pool, add_one).then(add_one);
  EXPECT_THROW((void)f.get(), std::out_of_range);
  auto g = pool->submit(add_one, 2).then(*pool, fail_at_three).then(add_one);
  EXPECT_THROW((void)g.get(), std::out_of_range);
}

TYPED_TEST(Then, FutureOfAFutureIsUnwrapped) {
  auto pool = TypeParam::make(1);
  future<int> f = pool->submit(add_one, 1).then([&](int x) { return pool->submit(add_one, x); });
  EXPECT_EQ(f.get(), 3);
}

TYPED_TEST(Then, FunctionThatTakesTheFutureIsCalledWhateverItsOutcome) {
  auto pool = TypeParam::make(1);
  auto f =
      pool->submit(throw_out_of_range).then([](future<int> done) { return done.exception() != nullptr; });
  EXPECT_TRUE(f.get());
  if constexpr (TypeParam::in_process) {
    auto g = pool->submit(add_one, 1).then(*pool, [](future<int> done) { return done.get(); });
    EXPECT_EQ(g.get(), 2);
  } else {
    auto g = pool->submit(add_one, 1).then(*pool, [](future<int> done) { return done.get(); });
    EXPECT_THROW((void)g.get(), not_portable_error) << "a future cannot be sent to another process";
  }
}

TYPED_TEST(Then, ValueThatACallbackHasTakenIsAnInvalidStateError) {
  auto pool = TypeParam::make(1);
  promise<std::string> p;
  auto f = p.get_future();
  f.on_done([](future<std::string>& done) { (void)done.get(); });
  auto g = f.then(*pool, [](const std::string& text) { return static_cast<int>(text.size()); });
  p.set_value(std::string(100, 'x'));
  EXPECT_THROW((void)g.get(), invalid_state_error);
}

TYPED_TEST(Then, OnAnExecutorThatIsShutDownIsAShutdownError) {
  auto pool = TypeParam::make(1);
  thread_pool other({.max_workers = 1});
  pool->shutdown();
  EXPECT_THROW((void)other.submit(add_one, 1).then(*pool, add_one).get(), shutdown_error);
}

TYPED_TEST(Then, WhenAllTakesFuturesOfAnyExecutors) {
  auto pool = TypeParam::make(2);
  thread_pool other({.max_workers = 1});
  std::vector<future<int>> fs;
  for (int i = 0; i < 10; ++i) fs.push_back(i % 2 == 0 ? pool->submit(add_one, i) : other.submit(add_one, i));
  auto sum = when_all(std::move(fs)).then([](std::vector<future<int>> all) {
    int s = 0;
    for (auto& f : all) s += f.get();
    return s;
  });
  EXPECT_EQ(sum.get(), 55);
}

TYPED_TEST(Then, WhenAnyTellsWhichIsDone) {
  auto pool = TypeParam::make(2);
  promise<int> never;
  auto any = when_any(never.get_future(), pool->submit(add_one, 4));
  auto first = any.get();
  EXPECT_EQ(first.index, 1U);
  EXPECT_EQ(std::get<1>(first.futures).get(), 5);
}

// get() in a task cannot run in place what a continuation waits for; somebody stands in.
TYPED_TEST(Then, TaskOfTheOnlyWorkerMayWaitForIt) {
  auto pool = TypeParam::make(1);
  if constexpr (TypeParam::in_process) {
    const auto task = [&pool] { return pool->submit(add_one, 1); };
    const auto wait_for = [&pool](auto make) { return pool->submit([make] { return make().get(); }).get(); };
    EXPECT_EQ(wait_for([&] { return task().then(add_one); }), 3);
    EXPECT_EQ(wait_for([&] { return task().then(*pool, add_one); }), 3);
    EXPECT_EQ(wait_for([&] { return task().then([&](int x) { return pool->submit(add_one, x); }); }), 3);
    EXPECT_EQ(std::get<1>(wait_for([&] { return when_all(task(), task()); })).get(), 2);
    promise<int> never;
    EXPECT_EQ(wait_for([&] { return when_any(never.get_future(), task()); }).index, 1U);
    EXPECT_EQ(wait_for([&] { return when_any(task(), task()).then([](auto) { return 5; }); }), 5);
    // Of another executor, which gives the last step back.
    thread_pool other({.max_workers = 1});
    EXPECT_EQ(wait_for([&] { return other.submit(add_one, 1).then(*pool, add_one); }), 3);
    struct nest {
      static int down(executor& executor, int depth) {
        if (depth == 0) return 0;
        return executor.submit([&executor, depth] { return down(executor, depth - 1); }).then(add_one).get();
      }
    };
    EXPECT_EQ(pool->submit([&pool] { return nest::down(*pool, 50); }).get(), 50);
  } else {
    // A task in another process does not see its pool. It may wait for one of its own.
    auto f = pool->submit(
        [](int x) {
          auto own = TypeParam::make(1);
          return own->submit(add_one, x).then(add_one).get();
        },
        1);
    EXPECT_EQ(f.get(), 3);
  }
}

TYPED_TEST(Then, NeedsNoThreadOfItsOwn) {
  constexpr int many = 1000;
  auto pool = TypeParam::make(1);
  pool->submit(nothing).get();  // what the pool starts for its tasks is there
  const auto before = test::threads();
  std::vector<promise<int>> ps(5 * many);
  std::vector<future<int>> sums;
  for (auto p = ps.begin(); p != ps.end(); p += 5) {
    sums.push_back(p[0].get_future().then(add_one).then(*pool, add_one));
    auto all = when_all(p[1].get_future(), p[2].get_future());
    sums.push_back(
        std::move(all).then([](auto both) { return std::get<0>(both).get() + std::get<1>(both).get(); }));
    auto any = when_any(p[3].get_future(), p[4].get_future());
    sums.push_back(std::move(any).then([](auto first) { return static_cast<int>(first.index); }));
  }
  const auto pending = test::threads();
  for (const auto& [id, name] : pending) EXPECT_EQ(before.count(id), 1U) << name;
  for (auto& p : ps) p.set_value(1);
  for (std::size_t i = 0; i < sums.size(); i += 3) {
    EXPECT_EQ(sums[i].get(), 3);
    EXPECT_EQ(sums[i + 1].get(), 2);
    EXPECT_EQ(sums[i + 2].get(), 0);
  }
}

TYPED_TEST(Then, CancelIsAnOutcomeForWhenAnyAndWhenAll) {
  std::stop_source stop;
  if constexpr (TypeParam::concurrent) {
    auto pool = TypeParam::make(1);
    auto gate = this->gate();
    auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
    this->counter("arrivals").wait_for(1);
    promise<int> never;
    auto any = when_any(never.get_future(), pool->submit({.stop_token = stop.get_token()}, add_one, 1));
    auto all = when_all(std::move(running), pool->submit({.stop_token = stop.get_token()}, add_one, 1));
    EXPECT_FALSE(any.is_ready());
    stop.request_stop();
    EXPECT_TRUE(any.is_ready()) << "though its task is behind one that runs";
    EXPECT_EQ(any.get().index, 1U);
    EXPECT_FALSE(all.is_ready());
    gate.open();
    EXPECT_TRUE(std::get<1>(all.get()).cancelled());
  } else {
    auto pool = TypeParam::make();
    stop.request_stop();
    promise<int> never;
    auto any = when_any(never.get_future(), pool->submit({.stop_token = stop.get_token()}, add_one, 1)).get();
    EXPECT_EQ(any.index, 1U);
    EXPECT_TRUE(std::get<1>(any.futures).cancelled());
    auto all =
        when_all(pool->submit(add_one, 1), pool->submit({.stop_token = stop.get_token()}, add_one, 1)).get();
    EXPECT_EQ(std::get<0>(all).get(), 2);
    EXPECT_TRUE(std::get<1>(all).cancelled());
  }
}

}  // namespace
}  // namespace tandem::contract
