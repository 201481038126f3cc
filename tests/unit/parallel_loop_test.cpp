// parallel_for and parallel_reduce: each item once, in whose hands, and what becomes of exceptions.
#include <tandem/parallel_for.hpp>
#include <tandem/parallel_reduce.hpp>
#include <tandem/task_group.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <latch>
#include <limits>
#include <list>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/asleep.hpp"

namespace {

using tandem::parallel_for;
using tandem::parallel_reduce;
using tandem::thread_pool;

static_assert(tandem::loop_range<std::vector<int>&>);
static_assert(tandem::loop_range<std::ranges::iota_view<int, int>>);
static_assert(!tandem::loop_range<std::list<int>&>);

TEST(ParallelFor, PassesEachItemOnce) {
  for (const int workers : {1, 2, 8}) {
    thread_pool pool({.max_workers = workers});
    for (const int size : {0, 1, 2, 3, 100, 100'000}) {
      for (const int chunk_size : {0, 1, 7, 1'000'000}) {
        std::vector<std::atomic<int>> calls(static_cast<std::size_t>(size));
        parallel_for(pool, {.chunk_size = chunk_size}, calls, [](std::atomic<int>& count) { ++count; });
        EXPECT_TRUE(std::ranges::all_of(calls, [](const auto& count) { return count == 1; }))
            << size << " in chunks of " << chunk_size;
      }
    }
  }
}

TEST(ParallelFor, TakesNumbersAndAnyRangeWithRandomAccess) {
  thread_pool pool({.max_workers = 2});
  std::atomic<long> sum{0};
  parallel_for(pool, -5, 5, [&](int i) { sum += i; });
  EXPECT_EQ(sum, -5);
  parallel_for(pool, {.chunk_size = 2}, -5, 5, [&](int i) { sum += i; });
  parallel_for({.chunk_size = 2}, 0, 5, [&](int i) { sum += i; });
  EXPECT_EQ(sum, 0);
  sum = -5;
  parallel_for(pool, 5, -5, [&](int) { ADD_FAILURE(); });
  parallel_for(pool, std::size_t{0}, 3, [&](std::size_t i) { sum += static_cast<long>(i); });
  EXPECT_EQ(sum, -2);
  std::deque<int> numbers(1000, 1);
  parallel_for(pool, numbers, [](int& n) { n = 2; });
  int array[3] = {1, 2, 3};
  parallel_for(pool, array, [](int& n) { n *= 2; });
  EXPECT_EQ(array[2], 6);
  const std::vector<bool> bits(100, true);
  parallel_for(pool, bits, [&](bool bit) { sum += bit ? 1 : 0; });
  EXPECT_EQ(sum, 98);
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 2000);
}

TEST(ParallelFor, InATaskUsesItsPoolAndWithoutOneTheCaller) {
  thread_pool pool({.max_workers = 2});
  std::atomic<int> in_pool{0};
  const auto note = [&](int) { in_pool += tandem::this_task::worker_index() >= 0 ? 1 : 0; };
  parallel_for(0, 100, note);
  EXPECT_EQ(in_pool, 0);
  pool.submit([&] { parallel_for(0, 100, note); }).get();
  EXPECT_EQ(in_pool, 100);
}

TEST(ParallelFor, LetsAllWorkersHelp) {
  constexpr int workers = 4;
  thread_pool pool({.max_workers = workers});
  std::latch all(workers);
  parallel_for(pool, {.chunk_size = 1}, std::views::iota(0, workers), [&](int) { all.arrive_and_wait(); });
}

// An item that takes long is no reason for others to wait behind it, if there are workers.
TEST(ParallelFor, WhatLiesBehindALongItemIsTakenByOthers) {
  thread_pool pool({.max_workers = 2});
  std::latch others(99);
  parallel_for(pool, {.chunk_size = 1}, std::views::iota(0, 100), [&](int i) {
    if (i == 0) {
      others.wait();
    } else {
      others.count_down();
    }
  });
}

TEST(ParallelFor, ThrowsAnItemsExceptionAndBeginsNoFurtherChunk) {
  thread_pool pool({.max_workers = 1});
  int called = 0;
  try {
    parallel_for(pool, {.chunk_size = 1}, std::views::iota(0, 1000), [&](int i) {
      ++called;
      if (i == 10) throw std::runtime_error("item " + std::to_string(i));
    });
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "item 10");
  }
  EXPECT_EQ(called, 11);
}

TEST(ParallelFor, AnExceptionEndsTheOtherWorkersPartToo) {
  thread_pool pool({.max_workers = 2});
  std::latch both(2);
  std::atomic<int> called{0};
  EXPECT_THROW(parallel_for(pool, {.chunk_size = 1}, std::views::iota(0, 1'000'000),
                            [&](int i) {
                              ++called;
                              if (i == 0) {
                                both.arrive_and_wait();
                                throw std::runtime_error("first");
                              }
                              if (i == 500'000) {
                                both.arrive_and_wait();
                                while (!tandem::this_task::stop_requested()) std::this_thread::yield();
                              }
                            }),
               std::runtime_error);
  EXPECT_EQ(called, 2);
}

TEST(ParallelFor, AnExceptionOfAnotherWorkersPartEndsTheCallersToo) {
  thread_pool pool({.max_workers = 2});
  std::latch both(2);
  std::atomic<int> thrower{0};
  std::atomic<int> called_behind{0};
  EXPECT_THROW(parallel_for(pool, {.chunk_size = 1}, std::views::iota(0, 1'000'000),
                            [&](int i) {
                              if (i == 0) {
                                both.arrive_and_wait();
                                thrower.wait(0);
                                tandem::test::wait_until_asleep(thrower);  // it has done with it
                              } else if (i == 500'000) {
                                both.arrive_and_wait();
                                thrower = tandem::test::this_thread();
                                thrower.notify_all();
                                throw std::runtime_error("the other half");
                              } else {
                                ++called_behind;
                              }
                            }),
               std::runtime_error);
  EXPECT_EQ(called_behind, 0);
}

TEST(ParallelFor, TakesAllNumbersOfATypeAndTwoTypes) {
  thread_pool pool({.max_workers = 2});
  std::atomic<int> sum{0};
  std::atomic<int> count{0};
  parallel_for(pool, std::numeric_limits<std::int8_t>::min(), std::numeric_limits<std::int8_t>::max(),
               [&](std::int8_t i) {
                 sum += i;
                 ++count;
               });
  EXPECT_EQ(count, 255);
  EXPECT_EQ(sum, -128 - 127);
  constexpr int end = std::numeric_limits<int>::max();
  count = 0;
  parallel_for(pool, end - 10, end, [&](int i) { count += i > end - 11 ? 1 : 1000; });
  EXPECT_EQ(count, 10);
  const std::vector<int> items(7);
  count = 0;
  parallel_for(pool, 0, items.size(), [&](std::size_t i) { count += items.at(i) + 1; });
  EXPECT_EQ(count, 7);
  EXPECT_THROW(parallel_for(pool, -1, items.size(), [](std::size_t) {}), std::invalid_argument);
}

TEST(ParallelFor, InACancelledGroupThrows) {
  thread_pool pool({.max_workers = 1});
  pool.submit([] {
        tandem::task_group group;
        int called = 0;
        group.run([&] {
          parallel_for({.chunk_size = 1}, std::views::iota(0, 100), [&](int) {
            if (++called == 5) group.cancel();
          });
          ADD_FAILURE() << "as if all had been done";
        });
        EXPECT_EQ(group.wait(), tandem::task_group_status::cancelled);
        EXPECT_EQ(called, 5);
      })
      .get();
}

TEST(ParallelFor, RefusesANegativeChunkSize) {
  thread_pool pool({.max_workers = 1});
  EXPECT_THROW(parallel_for(pool, {.chunk_size = -1}, 0, 0, [](int) {}), std::invalid_argument);
  try {
    parallel_for(pool, {.chunk_size = -1}, std::views::iota(0, 1), [](int) {});
    FAIL();
  } catch (const std::invalid_argument& e) {
    EXPECT_NE(std::string(e.what()).find("loop_options::chunk_size"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("-1"), std::string::npos) << e.what();
  }
}

TEST(ParallelFor, MayBeNested) {
  thread_pool pool({.max_workers = 3});
  std::atomic<int> calls{0};
  parallel_for(pool, 0, 30,
               [&](int) { parallel_for(0, 30, [&](int) { parallel_for(0, 30, [&](int) { ++calls; }); }); });
  EXPECT_EQ(calls, 27'000);
}

TEST(ParallelReduce, GivesTheSumForAnyNumberOfWorkers) {
  std::vector<long> numbers(100'000);
  std::iota(numbers.begin(), numbers.end(), 1);
  for (const int workers : {1, 2, 8}) {
    thread_pool pool({.max_workers = workers});
    EXPECT_EQ(parallel_reduce(pool, numbers, 5L), 5'000'050'005L);
    EXPECT_EQ(parallel_reduce(pool, {.chunk_size = 3}, numbers, 0L), 5'000'050'000L);
  }
  EXPECT_EQ(parallel_reduce(numbers, 5L), 5'000'050'005L) << "without a pool";
}

TEST(ParallelReduce, KeepsTheOrderOfTheRange) {
  thread_pool pool({.max_workers = 4});
  const auto numbers = std::views::iota(0, 3000);
  std::string expected = "=";
  for (const int i : numbers) expected += std::to_string(i);
  for (const int chunk_size : {0, 1, 10}) {
    EXPECT_EQ(parallel_reduce(pool, {.chunk_size = chunk_size}, numbers, std::string("="), std::plus<>(),
                              [](int i) { return std::to_string(i); }),
              expected);
  }
}

TEST(ParallelReduce, OfNothingIsTheInitialValue) {
  thread_pool pool({.max_workers = 2});
  EXPECT_EQ(parallel_reduce(pool, std::vector<int>(), 7), 7);
  EXPECT_EQ(parallel_reduce(pool, std::vector<int>{1}, 7, [](int a, int b) { return std::max(a, b); }), 7);
}

TEST(ParallelReduce, TakesValuesThatCanOnlyBeMovedAndHaveNoDefault) {
  struct box {
    explicit box(int v) : value(std::make_unique<int>(v)) {}
    std::unique_ptr<int> value;
  };
  thread_pool pool({.max_workers = 3});
  const box sum = parallel_reduce(
      pool, {.chunk_size = 1}, std::views::iota(0, 1000), box(0),
      [](box a, box b) {  // NOLINT(performance-unnecessary-value-param)
        *a.value += *b.value;
        return a;
      },
      [](int i) { return box(i); });
  EXPECT_EQ(*sum.value, 499'500);
}

TEST(ParallelReduce, ThrowsWhatItsFunctionsThrow) {
  thread_pool pool({.max_workers = 2});
  EXPECT_THROW((void)parallel_reduce(pool, {.chunk_size = 1}, std::views::iota(0, 1000), 0, std::plus<>(),
                                     [](int i) {
                                       if (i == 700) throw std::out_of_range("700");
                                       return i;
                                     }),
               std::out_of_range);
}

}  // namespace
