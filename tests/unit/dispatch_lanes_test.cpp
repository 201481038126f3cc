// The queue by priority: order, ageing, closing, and that nothing is lost between many threads.
#include "dispatch/lanes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace {

using tandem::priority;
using tandem::dispatch::ageing;
using tandem::dispatch::lanes;

// Which classes are picked when all of them always wait.
std::string picks(ageing& turns, int count, bool high = true, bool normal = true, bool low = true) {
  std::string all;
  for (int i = 0; i < count; ++i) all += "HNL"[static_cast<int>(turns.choose(high, normal, low))];
  return all;
}

TEST(Ageing, PicksTheMostUrgentThatThereIs) {
  ageing turns;
  EXPECT_EQ(turns.choose(false, false, false), priority::normal);
  EXPECT_EQ(turns.choose(true, true, true), priority::high);
  EXPECT_EQ(turns.choose(false, true, true), priority::normal);
  EXPECT_EQ(turns.choose(false, false, true), priority::low);
}

TEST(Ageing, EverySixteenthIsNormalAndEverySixtyFourthIsLow) {
  ageing turns;
  const std::string all = picks(turns, 640);
  for (std::size_t i = 0; i + 17 <= all.size(); ++i)
    EXPECT_NE(all.substr(i, 17).find('N'), std::string::npos) << all.substr(i, 17);
  for (std::size_t i = 0; i + 64 <= all.size(); ++i)
    EXPECT_NE(all.substr(i, 64).find('L'), std::string::npos) << all.substr(i, 64);
  EXPECT_EQ(all.substr(0, 16), std::string(15, 'H') + "N");
  EXPECT_EQ(all.find('L'), 63U);
}

TEST(Ageing, OneThatHasJustComeIsNotPreferred) {
  ageing turns;
  EXPECT_EQ(picks(turns, 1000, true, false, false), std::string(1000, 'H'));
  EXPECT_EQ(picks(turns, 15), std::string(15, 'H'));
  EXPECT_EQ(picks(turns, 63, false, true, true), std::string(48, 'N') + "L" + std::string(14, 'N'));
}

TEST(Lanes, GiveTheMostUrgentFirstAndEachInOrder) {
  lanes<int> queue;
  std::array<int, 9> items{};
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto which = static_cast<priority>(i % 3);
    queue.prepare(which);
    ASSERT_TRUE(queue.push(&items[i], which));
  }
  EXPECT_EQ(queue.size(), 9U);
  EXPECT_EQ(queue.pushed(), 9U);
  ageing turns;
  for (const std::size_t i : {0, 3, 6, 1, 4, 7, 2, 5, 8}) EXPECT_EQ(queue.pop_next(turns), &items[i]);
  EXPECT_EQ(queue.pop_next(turns), nullptr);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.pushed(), 9U);
}

TEST(Lanes, AreNotThereBeforeTheyAreNeeded) {
  lanes<int> queue;
  int item = 0;
  queue.prepare(priority::normal);
  ASSERT_TRUE(queue.push(&item, priority::normal));
  EXPECT_FALSE(queue.in_use());
  queue.prepare(priority::low);
  EXPECT_TRUE(queue.in_use());
}

TEST(Lanes, AreEmptyOnlyIfAllAre) {
  for (const priority which : lanes<int>::in_order) {
    lanes<int> queue;
    int item = 0;
    EXPECT_TRUE(queue.empty());
    queue.prepare(which);
    EXPECT_TRUE(queue.empty());
    ASSERT_TRUE(queue.push(&item, which));
    EXPECT_FALSE(queue.empty());
    EXPECT_EQ(queue.size(), 1U);
    int* out = nullptr;
    EXPECT_EQ(queue.pop_some(&out, 1), 1U);
    EXPECT_EQ(out, &item);
    EXPECT_TRUE(queue.empty());
  }
}

TEST(Lanes, RefuseEveryPriorityOnceClosed) {
  int item = 0;
  for (const bool made_before : {false, true}) {
    lanes<int> queue;
    if (made_before) queue.prepare(priority::high);
    queue.close();
    for (const priority which : lanes<int>::in_order) {
      queue.prepare(which);
      EXPECT_FALSE(queue.push(&item, which));
    }
    EXPECT_TRUE(queue.empty());
  }
}

// Producers of all priorities race with consumers and, at the end, with close(): each item that was accepted comes out
// once, and an empty closed queue stays empty.
TEST(Lanes, LoseNothingBetweenManyThreads) {
  constexpr int each = 5000;
  for (int round = 0; round < 10; ++round) {
    lanes<int> queue;
    std::vector<std::atomic<int>> seen(3 * each);
    std::vector<int> items(3 * each);
    std::atomic<int> accepted{0};
    std::atomic<int> taken{0};
    std::atomic<bool> closed{false};
    std::vector<std::thread> threads;
    for (int p = 0; p < 3; ++p) {
      threads.emplace_back([&, p] {
        for (int i = 0; i < each; ++i) {
          const auto which = static_cast<priority>((i + p) % 3);
          queue.prepare(which);
          if (queue.push(&items[static_cast<std::size_t>(p * each + i)], which)) ++accepted;
        }
      });
    }
    for (int c = 0; c < 2; ++c) {
      threads.emplace_back([&] {
        ageing turns;
        for (;;) {
          const bool over = closed.load();
          if (int* item = queue.pop_next(turns)) {
            ++seen[static_cast<std::size_t>(item - items.data())];
            ++taken;
          } else if (over && queue.empty()) {
            return;
          }
        }
      });
    }
    while (taken.load() < (round % 2 == 0 ? each : 3 * each)) std::this_thread::yield();
    queue.close();
    closed = true;
    for (auto& t : threads) t.join();
    EXPECT_EQ(taken.load(), accepted.load());
    for (const auto& count : seen) EXPECT_LE(count.load(), 1);
    EXPECT_TRUE(queue.empty());
  }
}

}  // namespace
