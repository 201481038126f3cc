// Futures of the standard library and of Boost: every outcome there and back, and who waits meanwhile.
#include <tandem/interop.hpp>

#include <tandem/process_pool.hpp>
#include <tandem/thread_pool.hpp>
#include <tandem/when_any.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/manual_executor.hpp"

namespace {

using tandem::test::manual_executor;

struct own_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// --- the two libraries, for tests that are the same for both -------------------------------------------------------

struct standard {
  template <class T>
  using promise = std::promise<T>;
  template <class T>
  using future = std::future<T>;
  template <class T>
  static auto to(tandem::future<T> f) {
    return tandem::to_std(std::move(f));
  }
  template <class T>
  static auto from(tandem::executor& on, std::future<T> f) {
    return tandem::from_std(on, std::move(f));
  }
  static void fail(std::promise<int>& p) { p.set_exception(std::make_exception_ptr(own_error("mine"))); }
  static bool is_ready(const std::future<int>& f) {
    return f.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
};

struct boosts {
  template <class T>
  using promise = boost::promise<T>;
  template <class T>
  using future = boost::future<T>;
  template <class T>
  static auto to(tandem::future<T> f) {
    return tandem::to_boost(std::move(f));
  }
  template <class T>
  static auto from(tandem::executor& on, boost::future<T> f) {
    return tandem::from_boost(on, std::move(f));
  }
  static void fail(boost::promise<int>& p) { p.set_exception(own_error("mine")); }
  static bool is_ready(const boost::future<int>& f) { return f.is_ready(); }
};

template <class Library>
class Interop : public testing::Test {};

struct library_names {
  template <class Library>
  static std::string GetName(int) {
    return std::is_same_v<Library, standard> ? "std" : "boost";
  }
};

using libraries = testing::Types<standard, boosts>;
TYPED_TEST_SUITE(Interop, libraries, library_names);

template <class Future>
std::string message_of(Future& f) {
  try {
    (void)f.get();
    return "no exception";
  } catch (const own_error& e) {
    return e.what();
  }
}

// --- tandem's future to another library ----------------------------------------------------------------------------

TYPED_TEST(Interop, GivesValuesOfEveryKind) {
  manual_executor pool;
  int place = 1;
  auto number = TypeParam::to(pool.submit([] { return 42; }));
  auto nothing = TypeParam::to(pool.submit([] {}));
  auto owner = TypeParam::to(pool.submit([] { return std::make_unique<int>(7); }));
  auto reference = TypeParam::to(pool.submit([&place]() -> int& { return place; }));
  static_assert(std::is_same_v<decltype(number), typename TypeParam::template future<int>>);
  static_assert(std::is_same_v<decltype(nothing), typename TypeParam::template future<void>>);
  static_assert(std::is_same_v<decltype(reference), typename TypeParam::template future<int&>>);
  EXPECT_FALSE(TypeParam::is_ready(number)) << "its task has not run";
  pool.run_all();
  EXPECT_TRUE(TypeParam::is_ready(number));
  EXPECT_EQ(number.get(), 42);
  EXPECT_NO_THROW(nothing.get());
  EXPECT_EQ(*owner.get(), 7);
  EXPECT_EQ(&reference.get(), &place);
}

TYPED_TEST(Interop, GivesExceptionsAsTheyAre) {
  manual_executor pool;
  const own_error* thrown = nullptr;
  auto own = pool.submit([]() -> int { throw own_error("mine"); }).share();
  auto same = TypeParam::to(own.then([](tandem::shared_future<int> f) { return f.get(); }));
  auto odd = TypeParam::to(pool.submit([]() -> int { throw 5; }));
  pool.run_all();
  try {
    (void)own.get();
  } catch (const own_error& e) {
    thrown = &e;
  }
  try {
    (void)same.get();
    FAIL() << "nothing was thrown";
  } catch (const own_error& e) {
    EXPECT_EQ(&e, thrown) << "not the same object";
  }
  EXPECT_THROW((void)odd.get(), int);
}

TYPED_TEST(Interop, GivesACancelAsCancelledError) {
  manual_executor pool;
  std::stop_source stop;
  auto f = TypeParam::to(pool.submit({.stop_token = stop.get_token()}, [] { return 1; }));
  stop.request_stop();
  EXPECT_TRUE(TypeParam::is_ready(f));
  EXPECT_THROW((void)f.get(), tandem::cancelled_error);
}

TYPED_TEST(Interop, OfAFinishedFutureIsReadyAtOnce) {
  tandem::promise<int> p;
  p.set_value(3);
  auto f = TypeParam::to(p.get_future());
  EXPECT_TRUE(TypeParam::is_ready(f));
  EXPECT_EQ(f.get(), 3);
}

TYPED_TEST(Interop, WithoutAStateIsAnError) {
  manual_executor pool;
  EXPECT_THROW((void)TypeParam::to(tandem::future<int>()), tandem::invalid_state_error);
  EXPECT_THROW((void)TypeParam::from(pool, typename TypeParam::template future<int>()),
               tandem::invalid_state_error);
  EXPECT_EQ(pool.queued(), 0U);
}

// --- and back ------------------------------------------------------------------------------------------------------

TYPED_TEST(Interop, TakesValuesOfEveryKind) {
  tandem::thread_pool pool({.max_workers = 1});
  int place = 1;
  typename TypeParam::template promise<int> number;
  typename TypeParam::template promise<void> nothing;
  typename TypeParam::template promise<std::unique_ptr<int>> owner;
  typename TypeParam::template promise<int&> reference;
  tandem::future<int> a = TypeParam::from(pool, number.get_future());
  tandem::future<void> b = TypeParam::from(pool, nothing.get_future());
  tandem::future<std::unique_ptr<int>> c = TypeParam::from(pool, owner.get_future());
  tandem::future<int&> d = TypeParam::from(pool, reference.get_future());
  EXPECT_FALSE(a.is_ready());
  // In the wrong order for a single worker, whose place spares must take.
  reference.set_value(place);
  EXPECT_EQ(&d.get(), &place);
  owner.set_value(std::make_unique<int>(7));
  EXPECT_EQ(*c.get(), 7);
  nothing.set_value();
  EXPECT_NO_THROW(b.get());
  number.set_value(42);
  EXPECT_EQ(a.get(), 42);
}

TYPED_TEST(Interop, TakesExceptions) {
  tandem::thread_pool pool({.max_workers = 1});
  typename TypeParam::template promise<int> p;
  auto f = TypeParam::from(pool, p.get_future());
  TypeParam::fail(p);
  EXPECT_EQ(message_of(f), "mine");
}

TYPED_TEST(Interop, WaitingTakesNoWorkerFromOtherTasks) {
  tandem::thread_pool pool({.max_workers = 1});
  typename TypeParam::template promise<int> p;
  auto f = TypeParam::from(pool, p.get_future());
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  EXPECT_FALSE(f.is_ready());
  p.set_value(2);
  EXPECT_EQ(f.get(), 2);
}

TYPED_TEST(Interop, CancelledBeforeItBeginsDropsTheOtherFuture) {
  manual_executor pool;
  typename TypeParam::template promise<std::shared_ptr<int>> p;
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  p.set_value(std::move(token));
  auto f = TypeParam::from(pool, p.get_future());
  EXPECT_TRUE(f.cancel());
  p = {};
  EXPECT_TRUE(alive.expired());
}

TYPED_TEST(Interop, ThereAndBackIsTheSame) {
  tandem::thread_pool pool({.max_workers = 2});
  auto f = TypeParam::from(pool, TypeParam::to(pool.submit([] { return std::string("around"); })));
  EXPECT_EQ(f.then([](const std::string& s) { return s.size(); }).get(), 6U);
  auto failed = TypeParam::from(pool, TypeParam::to(pool.submit([]() -> int { throw own_error("x"); })));
  EXPECT_EQ(message_of(failed), "x");
}

TYPED_TEST(Interop, AProcessPoolCannotWait) {
  tandem::process_pool pool({.max_workers = 1});
  typename TypeParam::template promise<int> p;
  auto f = TypeParam::from(pool, p.get_future());
  EXPECT_THROW((void)f.get(), tandem::not_portable_error);
  p.set_value(1);
}

// --- what only one of them has -------------------------------------------------------------------------------------

TEST(InteropMix, DeferredAsyncRunsInTheTask) {
  tandem::thread_pool pool({.max_workers = 1});
  auto f = tandem::from_std(pool, std::async(std::launch::deferred, tandem::this_task::worker_index));
  EXPECT_EQ(f.get(), 0);
}

TEST(InteropMix, FuturesOfThreeLibrariesAreWaitedForTogether) {
  tandem::thread_pool pool({.max_workers = 1});
  std::promise<int> slow;
  boost::promise<int> quick;
  std::vector<tandem::future<int>> fs;
  fs.push_back(tandem::from_std(pool, slow.get_future()));
  fs.push_back(tandem::from_boost(pool, quick.get_future()));
  tandem::promise<int> never;
  fs.push_back(never.get_future());
  quick.set_value(1);
  EXPECT_EQ(tandem::when_any(std::move(fs)).get().index, 1U);
  slow.set_value(2);
}

}  // namespace
