// worker_local: one value a thread, whatever becomes of the thread.
#include <tandem/worker_local.hpp>

#include <tandem/thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/gate.hpp"

namespace {

using tandem::worker_local;

// Runs f on n threads that live at the same time.
template <class F>
void on_threads(int n, F f) {
  std::latch all(n);
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back([&, i] {
      f(i);
      all.arrive_and_wait();
    });
  }
  for (auto& t : threads) t.join();
}

TEST(WorkerLocal, IsOneValueForEachThread) {
  worker_local<int> numbers;
  EXPECT_EQ(numbers.size(), 0U);
  EXPECT_EQ(numbers.local(), 0);
  numbers.local() = 5;
  EXPECT_EQ(numbers.local(), 5);
  std::mutex mutex;
  std::set<const int*> places{&numbers.local()};
  on_threads(8, [&](int i) {
    EXPECT_EQ(numbers.local(), 0);
    numbers.local() = i;
    for (int k = 0; k < 1000; ++k) ASSERT_EQ(numbers.local(), i);
    const std::lock_guard lock(mutex);
    places.insert(&numbers.local());
  });
  EXPECT_EQ(places.size(), 9U);
  EXPECT_EQ(numbers.size(), 9U);
  EXPECT_EQ(numbers.local(), 5);
}

// The system gives the number of a thread that has ended to the next one.
TEST(WorkerLocal, ThreadsOneAfterTheOtherGetAValueEachAndLeaveIt) {
  worker_local<int> numbers;
  for (int i = 1; i <= 20; ++i) {
    std::thread([&] {
      EXPECT_EQ(numbers.local(), 0);
      numbers.local() = i;
    }).join();
  }
  EXPECT_EQ(numbers.size(), 20U);
  EXPECT_EQ(numbers.combine(std::plus<>()), 210);
}

TEST(WorkerLocal, ForEachVisitsAllAndCombineFoldsThem) {
  worker_local<std::string> words([] { return std::string("-"); });
  EXPECT_EQ(words.combine(std::plus<>()), "-") << "without any: a new one";
  EXPECT_EQ(words.size(), 0U);
  on_threads(3, [&](int i) { words.local() = std::string(static_cast<std::size_t>(i) + 1, 'x'); });
  EXPECT_EQ(words.combine(std::plus<>()), "xxxxxx");
  std::size_t sum = 0;
  words.for_each([&](std::string& w) {
    sum += w.size();
    w += "y";
  });
  EXPECT_EQ(sum, 6U);
  EXPECT_EQ(words.combine([](const auto& a, const auto& b) { return a + b; }).size(), 9U);
}

TEST(WorkerLocal, ClearDestroysAllAndBeginsAnew) {
  const auto alive = std::make_shared<int>();
  {
    worker_local<std::shared_ptr<int>> pointers([&] { return alive; });
    on_threads(4, [&](int) { EXPECT_EQ(pointers.local(), alive); });
    EXPECT_EQ(alive.use_count(), 5);
    pointers.clear();
    EXPECT_EQ(pointers.size(), 0U);
    EXPECT_EQ(alive.use_count(), 1);
    EXPECT_EQ(pointers.local(), alive);
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

struct fixed {
  explicit fixed(int n) : number(n) {}
  fixed(const fixed&) = delete;
  fixed& operator=(const fixed&) = delete;
  int number;
};

TEST(WorkerLocal, ValuesNeedNotMove) {
  worker_local<fixed> values([] { return fixed(7); });
  fixed* const mine = &values.local();
  on_threads(20, [&](int) { EXPECT_EQ(values.local().number, 7); });
  EXPECT_EQ(&values.local(), mine);
}

TEST(WorkerLocal, WhatTheFactoryThrowsReachesTheCallerAndTheNextCallTriesAgain) {
  int calls = 0;
  worker_local<int> numbers([&] {
    if (++calls == 1) throw std::runtime_error("no licence");
    return 3;
  });
  EXPECT_THROW(static_cast<void>(numbers.local()), std::runtime_error);
  EXPECT_EQ(numbers.size(), 0U);
  EXPECT_EQ(numbers.local(), 3);
  EXPECT_EQ(numbers.local(), 3);
  EXPECT_EQ(calls, 2);
}

TEST(WorkerLocal, FactoryMayUseTheSameWorkerLocalsOfOthers) {
  worker_local<int> inner([] { return 4; });
  worker_local<int> outer([&] { return inner.local() + 1; });
  on_threads(4, [&](int) { EXPECT_EQ(outer.local(), 5); });
  EXPECT_EQ(inner.size(), 4U);
}

// More of them than the system has keys for thread-specific data.
TEST(WorkerLocal, ThereMayBeThousands) {
  std::vector<std::unique_ptr<worker_local<int>>> many;
  for (int i = 0; i < 3000; ++i) many.push_back(std::make_unique<worker_local<int>>());
  on_threads(2, [&](int) {
    for (int i = 0; i < 3000; ++i) many[static_cast<std::size_t>(i)]->local() += i;
  });
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(many[static_cast<std::size_t>(i)]->combine(std::plus<>()), 2 * i);
}

TEST(WorkerLocal, WorkersThatEndIdlyLeaveTheirValues) {
  tandem::test::counter ended;
  worker_local<int> sums;
  worker_local<int> made;
  {
    tandem::thread_pool pool({.max_workers = 3,
                              .finalizer =
                                  [&] {
                                    ++made.local();
                                    ended.add();
                                  },
                              .idle_timeout = std::chrono::milliseconds(1)});
    for (int round = 1; round <= 5; ++round) {
      std::vector<tandem::future<void>> fs;
      for (int i = 0; i < 100; ++i) fs.push_back(pool.submit([&] { ++sums.local(); }));
      for (auto& f : fs) f.get();
      ended.wait_for(round);
    }
  }
  EXPECT_EQ(sums.combine(std::plus<>()), 500);
  made.for_each([](int& n) { EXPECT_EQ(n, 1) << "a finalizer has found the value of another life"; });
  EXPECT_GE(made.size(), 5U);
}

TEST(WorkerLocal, ManyThreadsMayComeAtOnce) {
  for (int round = 0; round < 50; ++round) {
    worker_local<long> counts;
    on_threads(16, [&](int) {
      for (int i = 0; i < 100; ++i) ++counts.local();
    });
    ASSERT_EQ(counts.size(), 16U);
    ASSERT_EQ(counts.combine(std::plus<>()), 1600);
  }
}

}  // namespace
