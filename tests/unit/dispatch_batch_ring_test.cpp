// The ring of tasks that a worker has taken and not begun, and those who steal from it.
#include "dispatch/batch_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "support/watchdog.hpp"

namespace {

using ring = tandem::dispatch::batch_ring<int, 8>;

struct BatchRing : testing::Test {
  ring r;
  std::vector<int> values = std::vector<int>(100);
  std::vector<int*> items;
  BatchRing() {
    std::iota(values.begin(), values.end(), 0);
    for (int& v : values) items.push_back(&v);
  }
};

TEST_F(BatchRing, GivesInOrder) {
  for (int round = 0; round < 5; ++round) {
    r.fill(items.data() + round, 5);
    EXPECT_EQ(r.size(), 5u);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(r.pop(), items[round + i]);
    EXPECT_EQ(r.pop(), nullptr);
    EXPECT_TRUE(r.empty());
  }
}

TEST_F(BatchRing, LosesItsOlderHalfToAThief) {
  int* out[8];
  r.fill(items.data(), 7);
  EXPECT_EQ(r.steal(out, 8), 4u);
  EXPECT_EQ(out[0], items[0]);
  EXPECT_EQ(out[3], items[3]);
  EXPECT_EQ(r.pop(), items[4]);
  EXPECT_EQ(r.steal(out, 8), 1u);
  EXPECT_EQ(r.steal(out, 8), 1u);
  EXPECT_EQ(out[0], items[6]);
  EXPECT_EQ(r.steal(out, 8), 0u);
  EXPECT_EQ(r.pop(), nullptr);
}

TEST_F(BatchRing, GivesAThiefNoMoreThanItAsksFor) {
  int* out[8];
  r.fill(items.data(), 8);
  EXPECT_EQ(r.steal(out, 2), 2u);
  EXPECT_EQ(r.size(), 6u);
}

TEST(BatchRingStress, OwnerAndThievesGetEachItemOnce) {
  constexpr std::size_t thieves = 3;
  const std::size_t batches = 40000 / static_cast<std::size_t>(tandem::test::slowness());
  ring r;
  std::vector<int> values(batches * 8);
  std::vector<std::atomic<int>> seen(values.size());
  const auto note = [&](const int* item) { ++seen[static_cast<std::size_t>(item - values.data())]; };
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < thieves; ++t) {
    threads.emplace_back([&] {
      int* out[8];
      while (!done) {
        const std::size_t count = r.steal(out, 8);
        for (std::size_t i = 0; i < count; ++i) note(out[i]);
        if (count == 0) std::this_thread::yield();
      }
    });
  }
  for (std::size_t b = 0; b < batches; ++b) {
    int* batch[8];
    for (std::size_t i = 0; i < 8; ++i) batch[i] = &values[b * 8 + i];
    r.fill(batch, 1 + b % 8);
    for (std::size_t i = 1 + b % 8; i < 8; ++i) note(batch[i]);
    while (const int* item = r.pop()) note(item);
  }
  done = true;
  for (auto& t : threads) t.join();
  for (const auto& count : seen) ASSERT_EQ(count, 1);
}

// For ThreadSanitizer: what the owner wrote into an item before fill() is there for whoever steals it.
TEST(BatchRingStress, ThiefSeesWhatIsInTheItems) {
  for (int round = 1; round <= 100; ++round) {
    ring r;
    int value = 0;
    std::thread thief([&] {
      int* out = nullptr;
      while (r.steal(&out, 1) == 0) std::this_thread::yield();
      EXPECT_EQ(*out, round);
    });
    value = round;
    int* item = &value;
    r.fill(&item, 1);
    thief.join();
  }
}

}  // namespace
