// The contract of map and starmap.
#include <atomic>
#include <chrono>
#include <iterator>
#include <list>
#include <memory>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/inputs.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class Map : public fixture<Backend> {};
TYPED_TEST_SUITE(Map, backends, backend_names);

TYPED_TEST(Map, EqualsTheSerialResultInOrder) {
  auto pool = TypeParam::make(2);
  for (const int size : {0, 1, 2, 7, 1000}) {
    const std::vector<int> xs = first_ints(size);
    std::vector<long long> expected;
    for (const int x : xs) expected.push_back(square(x));
    for (const int chunk : {0, 1, 3, 5000})
      EXPECT_EQ(pool->map({.chunk_size = chunk}, square, xs), expected) << chunk;
    EXPECT_EQ(pool->map(square, xs), expected);
  }
}

TYPED_TEST(Map, ManyItemsAreNotATaskEach) {
  auto pool = TypeParam::make(2);
  const std::vector<int> xs = first_ints(300'000);
  const auto squares = pool->map(square, xs);
  ASSERT_EQ(squares.size(), xs.size());
  for (std::size_t i = 0; i < xs.size(); i += 997) EXPECT_EQ(squares[i], square(xs[i]));
  EXPECT_LT(pool->stats().finished, 30'000);
}

TYPED_TEST(Map, ZipsSeveralRangesAndEndsWithTheShortest) {
  auto pool = TypeParam::make(2);
  const std::vector<int> a{1, 2, 3, 4};
  const std::list<int> b{10, 20, 30};
  EXPECT_EQ(pool->map(add, a, b), (std::vector<int>{11, 22, 33}));
  EXPECT_EQ(pool->map({.chunk_size = 2}, add, b, a), (std::vector<int>{11, 22, 33}));
  EXPECT_EQ(pool->map(repeat, std::vector<std::string>{"a", "b"}, std::vector<int>{2, 3}),
            (std::vector<std::string>{"aa", "bbb"}));
}

TYPED_TEST(Map, TakesRangesOfEveryKind) {
  auto pool = TypeParam::make(2);
  const int array[] = {1, 2, 3};
  EXPECT_EQ(pool->map(add_one, array), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(pool->map(add_one, std::list<int>{1, 2, 3}), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(pool->map(add_one, std::vector<bool>{true, false}), (std::vector<int>{2, 1}));
  ints_until three(3);  // can be read once
  EXPECT_EQ(pool->map(add_one, three), (std::vector<int>{1, 2, 3}));
}

TYPED_TEST(Map, SpreadsTuples) {
  auto pool = TypeParam::make(2);
  const std::vector<std::tuple<std::string, int>> calls{{"a", 1}, {"b", 2}, {"c", 3}};
  EXPECT_EQ(pool->starmap(repeat, calls), (std::vector<std::string>{"a", "bb", "ccc"}));
  EXPECT_EQ(pool->starmap({.chunk_size = 2}, add, std::vector<std::pair<int, int>>{{1, 2}, {3, 4}, {5, 6}}),
            (std::vector<int>{3, 7, 11}));
  EXPECT_TRUE(pool->starmap(add, std::vector<std::pair<int, int>>{}).empty());
}

TYPED_TEST(Map, RunsFunctionsThatReturnNothing) {
  auto pool = TypeParam::make(2);
  static_assert(std::is_void_v<decltype(pool->map([](std::string) {}, std::vector<std::string>{}))>);
  pool->map([](std::string counter) { test::shared_counter(counter).add(); },
            std::vector<std::string>(10, this->path("ran")));
  EXPECT_EQ(this->counter("ran").value(), 10);
}

struct no_default {
  explicit no_default(int x) : value(x) {}
  int value;
};

TYPED_TEST(Map, ResultsMayBeOfAnyType) {
  auto pool = TypeParam::make(2);
  const std::vector<int> xs{1, 2, 3, 4};
  EXPECT_EQ(pool->map([](int x) { return x % 2 == 0; }, xs), (std::vector<bool>{false, true, false, true}));
  const auto owners = pool->map([](int x) { return std::make_unique<int>(x); }, xs);
  ASSERT_EQ(owners.size(), 4U);
  EXPECT_EQ(*owners[3], 4);
  if constexpr (TypeParam::in_process) {
    const auto objects = pool->map([](int x) { return no_default(x); }, xs);
    ASSERT_EQ(objects.size(), 4U);
    EXPECT_EQ(objects[3].value, 4);
  }
}

TYPED_TEST(Map, ReadsAndWritesTheCallersElementsInThisProcess) {
  if constexpr (!TypeParam::in_process) {
    // The workers have copies.
    auto pool = TypeParam::make(2);
    const auto negative = [](int x) {
      x = -x;
      return x;
    };
    std::vector<int> xs = first_ints(1000);
    const std::vector<int> results = pool->map(negative, xs);
    EXPECT_EQ(xs, first_ints(1000));
    for (std::size_t i = 0; i < xs.size(); ++i) ASSERT_EQ(results[i], -static_cast<int>(i));
  } else {
    auto pool = TypeParam::make(2);
    std::vector<int> xs = first_ints(1000);
    pool->map([](int& x) { x = -x; }, xs);
    for (std::size_t i = 0; i < xs.size(); ++i) ASSERT_EQ(xs[i], -static_cast<int>(i));
  }
}

TYPED_TEST(Map, ThrowsWhatTheThirdItemThrows) {
  auto pool = TypeParam::make(2);
  for (const int chunk : {0, 1, 2, 100}) {
    try {
      pool->map({.chunk_size = chunk}, fail_at_three, std::vector<int>{1, 2, 3, 4, 5});
      ADD_FAILURE() << "nothing thrown";
    } catch (const std::out_of_range& e) {
      EXPECT_STREQ(e.what(), "three");
    }
  }
  EXPECT_EQ(pool->map(fail_at_three, std::vector<int>{1, 2}), (std::vector<int>{10, 20}));
}

int counted_fail_at_three(std::string entered, std::string left, int x) {
  shared_counter(entered).add();
  struct leaver {
    shared_counter counter;
    ~leaver() { counter.add(); }
  } leave{shared_counter(left)};
  return fail_at_three(x);
}

TYPED_TEST(Map, NothingStartsOrRunsBehindAFailure) {
  auto pool = TypeParam::make(1);
  const std::vector<int> xs = first_ints(500);
  const std::vector<std::string> entered(xs.size(), this->path("entered"));
  const std::vector<std::string> left(xs.size(), this->path("left"));
  EXPECT_THROW(pool->map({.chunk_size = 1}, counted_fail_at_three, entered, left, xs), std::out_of_range);
  const int started = this->counter("entered").value();
  EXPECT_EQ(started, this->counter("left").value()) << "an item still runs";
  EXPECT_GE(started, 4);
  EXPECT_LT(started, TypeParam::in_process ? 5 : 100) << "more than those that were on their way";
  pool->shutdown();
  EXPECT_EQ(this->counter("entered").value(), started) << "an item ran later";
}

// Item 5 fails first, and item 3 only then.
int fail_in_reverse(std::string five_failed, int x) {
  if (x == 3) {
    shared_counter(five_failed).wait_for(1);
    throw std::out_of_range("three");
  }
  if (x == 5) {
    shared_counter(five_failed).add();
    throw std::domain_error("five");
  }
  return x;
}

TYPED_TEST(Map, ThrowsTheFailureOfTheFirstItemWhicheverFailsFirst) {
  if constexpr (!TypeParam::concurrent) {
    // The first one fails first: the items run one after the other.
    auto pool = TypeParam::make();
    this->counter("five").add();
    const std::vector<std::string> counters(8, this->path("five"));
    EXPECT_THROW(pool->map({.chunk_size = 1}, fail_in_reverse, counters, first_ints(8)), std::out_of_range);
    EXPECT_EQ(this->counter("five").value(), 1) << "item 5 has run";
    return;
  }
  auto pool = TypeParam::make(2);
  const std::vector<int> xs = first_ints(8);
  const std::vector<std::string> counters(xs.size(), this->path("five"));
  EXPECT_THROW(pool->map({.chunk_size = 1}, fail_in_reverse, counters, xs), std::out_of_range);
}

TYPED_TEST(Map, RefusesNegativeOptionsByNameAndValue) {
  auto pool = TypeParam::make(1);
  const std::vector<int> xs{1};
  const std::vector<std::pair<int, int>> pairs{{1, 2}};
  const auto message = [](auto call) -> std::string {
    try {
      (void)call();
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_NE(message([&] { return pool->map({.chunk_size = -3}, add_one, xs); }).find("chunk_size is -3"),
            std::string::npos);
  EXPECT_NE(message([&] { return pool->starmap({.chunk_size = -4}, add, pairs); }).find("chunk_size is -4"),
            std::string::npos);
  EXPECT_NE(message([&] {
              return pool->imap({.chunk_size = -5}, add_one, xs).begin() == std::default_sentinel;
            }).find("chunk_size is -5"),
            std::string::npos);
  EXPECT_NE(message([&] {
              return pool->imap({.window = -6}, add_one, xs).begin() == std::default_sentinel;
            }).find("window is -6"),
            std::string::npos);
  EXPECT_NE(message([&] {
              return pool->imap_unordered({.window = -7}, add_one, xs).begin() == std::default_sentinel;
            }).find("window is -7"),
            std::string::npos);
}

TYPED_TEST(Map, InputsThatThrowReachTheCaller) {
  auto pool = TypeParam::make(2);
  for (int round = 0; round < 2; ++round) {
    throwing_inputs broken(5);
    EXPECT_THROW(pool->map(add_one, broken), std::domain_error);
  }
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
}

// Item 2 waits behind the gate.
int pass_at_two(std::string gate, int x) {
  if (x == 2) shared_counter(gate).wait_for(1);
  return x;
}

// Item 0 fails when item 1 has begun, which ends when the test lets it.
int fail_beside_another(std::string arrivals, std::string gate, std::string left, int x) {
  if (x == 0) {
    shared_counter(arrivals).wait_for(1);
    throw std::out_of_range("item 0");
  }
  shared_counter(arrivals).add();
  shared_counter(gate).wait_for(1);
  shared_counter(left).add();
  return x;
}

TYPED_TEST(Map, FailureWithATimeoutLeavesNothingRunning) {
  if constexpr (!TypeParam::concurrent) {
    // With a limit, the items are tasks of which each has ended when the next one begins.
    auto pool = TypeParam::make();
    this->counter("arrivals").add();
    this->counter("gate").add();
    const std::vector<std::string> arrivals(2, this->path("arrivals"));
    const std::vector<std::string> gates(2, this->path("gate"));
    const std::vector<std::string> left(2, this->path("left"));
    EXPECT_THROW(pool->map({.chunk_size = 1, .timeout = 60s}, fail_beside_another, arrivals, gates, left,
                           first_ints(2)),
                 std::out_of_range);
    EXPECT_EQ(this->counter("left").value(), 1);
    return;
  }
  auto pool = TypeParam::make(2);
  auto gate = this->gate();
  const std::vector<std::string> arrivals(2, this->path("arrivals"));
  const std::vector<std::string> gates(2, gate.path());
  const std::vector<std::string> left(2, this->path("left"));
  // Opened only when the failed map has had every chance to return too early.
  std::thread opener([&] {
    this->counter("arrivals").wait_for(1);
    std::this_thread::sleep_for(50ms);
    gate.open();
  });
  EXPECT_THROW(
      pool->map({.chunk_size = 1, .timeout = 60s}, fail_beside_another, arrivals, gates, left, first_ints(2)),
      std::out_of_range);
  EXPECT_EQ(this->counter("left").value(), 1) << "an item still runs";
  opener.join();
}

TYPED_TEST(Map, TimeoutIsATimeoutError) {
  if constexpr (!TypeParam::concurrent) {
    // The caller itself runs the items and cannot leave them: when it looks at the clock, all are done.
    auto pool = TypeParam::make();
    this->counter("gate").add();
    const std::vector<std::string> gates(5, this->path("gate"));
    EXPECT_EQ(pool->map({.chunk_size = 1, .timeout = 0s}, pass_at_two, gates, first_ints(5)), first_ints(5));
    return;
  }
  auto pool = TypeParam::make(2);
  auto gate = this->gate();
  const std::vector<std::string> gates(5, gate.path());
  // A busy machine may not get to the second result in time; with longer and longer limits it does.
  std::string message;
  for (auto limit = 100ms; limit < 60s && message.find("after 2 results") == std::string::npos; limit *= 2) {
    try {
      pool->map({.chunk_size = 1, .timeout = limit}, pass_at_two, gates, first_ints(5));
      FAIL() << "no timeout";
    } catch (const timeout_error& e) {
      message = e.what();
    }
  }
  EXPECT_NE(message.find("after 2 results"), std::string::npos) << message;
  gate.open();
  EXPECT_EQ(pool->map({.timeout = 60s}, pass_at_two, gates, first_ints(5)), first_ints(5));
}

TYPED_TEST(Map, TimeoutErrorOfATaskIsTheTasksOwn) {
  auto pool = TypeParam::make(2);
  try {
    pool->map(
        {.timeout = 60s}, [](int) { return throw_own_timeout(); }, std::vector<int>{1, 2});
    FAIL() << "no timeout_error";
  } catch (const timeout_error& e) {
    EXPECT_STREQ(e.what(), "the task's own");
  }
}

TYPED_TEST(Map, OfNothingIsNothingAtOnce) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  if (TypeParam::concurrent) (void)pool->submit(pass, gate.path());  // nobody is free
  EXPECT_TRUE(pool->map(add_one, std::vector<int>{}).empty());
  EXPECT_TRUE(pool->map(add, std::vector<int>{1}, std::vector<int>{}).empty());
  EXPECT_EQ(pool->imap(add_one, std::vector<int>{}).begin(), std::default_sentinel);
  EXPECT_EQ(pool->imap_unordered(add_one, std::vector<int>{}).begin(), std::default_sentinel);
}

TYPED_TEST(Map, WorksInATaskOfItsOnlyWorker) {
  if constexpr (!TypeParam::in_process) {
    // A task in another process does not see its pool. It may make one of its own.
    auto pool = TypeParam::make(1);
    auto f = pool->submit(
        [](int n) {
          auto own = TypeParam::make(1);
          const auto results = own->map(add_one, first_ints(n));
          return std::accumulate(results.begin(), results.end(), 0);
        },
        20);
    EXPECT_EQ(f.get(), 210);
  } else {
    auto pool = TypeParam::make(1);
    auto f = pool->submit([&pool] {
      const auto inner =
          pool->map([&pool](int x) { return pool->map(add_one, first_ints(x)).size(); }, first_ints(20));
      return std::accumulate(inner.begin(), inner.end(), std::size_t{0});
    });
    EXPECT_EQ(f.get(), 190U);
  }
}

}  // namespace
}  // namespace tandem::contract
