// The injection queue: order, closing, and that under many threads nothing is lost and nothing comes twice.
#include "dispatch/injector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "support/watchdog.hpp"

namespace {

using queue = tandem::dispatch::injector<std::uint64_t>;

std::vector<std::uint64_t> numbers(std::size_t count) {
  std::vector<std::uint64_t> result(count);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

std::vector<std::uint64_t> take_all(queue& q, std::size_t most, std::size_t shares = 1) {
  std::vector<std::uint64_t> result;
  std::vector<std::uint64_t*> batch(most);
  while (const std::size_t count = q.pop(batch.data(), most, shares)) {
    for (std::size_t i = 0; i < count; ++i) result.push_back(*batch[i]);
  }
  return result;
}

TEST(Injector, IsEmptyAtFirst) {
  queue q;
  std::uint64_t* out = nullptr;
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.pop(&out, 1), 0u);
  EXPECT_EQ(q.pushed(), 0u);
}

TEST(Injector, KeepsOrderAcrossSegments) {
  for (const std::size_t most : {1, 7, 32, 5000}) {
    queue q;
    auto items = numbers(3 * queue::segment_slots + 17);
    for (auto& i : items) ASSERT_TRUE(q.push(&i));
    EXPECT_EQ(q.size(), items.size());
    EXPECT_EQ(take_all(q, most), items);
    EXPECT_TRUE(q.empty());
    EXPECT_EQ(q.pushed(), items.size());
  }
}

TEST(Injector, KeepsOrderWhilePushesAndPopsAlternate) {
  queue q;
  auto items = numbers(10000);
  std::size_t next = 0;
  std::uint64_t* out[3];
  for (std::size_t i = 0; i < items.size(); i += 2) {
    ASSERT_TRUE(q.push(&items[i]));
    ASSERT_TRUE(q.push(&items[i + 1]));
    const std::size_t count = q.pop(out, 1 + i % 3);
    for (std::size_t k = 0; k < count; ++k) ASSERT_EQ(*out[k], next++);
  }
  for (const auto i : take_all(q, 4)) ASSERT_EQ(i, next++);
  EXPECT_EQ(next, items.size());
}

TEST(Injector, GivesAShareRoundedUp) {
  queue q;
  auto items = numbers(10);
  for (auto& i : items) ASSERT_TRUE(q.push(&i));
  std::uint64_t* out[32];
  EXPECT_EQ(q.pop(out, 32, 4), 3u);  // of 10
  EXPECT_EQ(q.pop(out, 32, 4), 2u);  // of 7
  EXPECT_EQ(q.pop(out, 1, 1), 1u);   // of 5
  EXPECT_EQ(q.pop(out, 32, 100), 1u);
  EXPECT_EQ(q.pop(out, 32, 1), 3u);
  EXPECT_TRUE(q.empty());
}

TEST(Injector, RefusesWhenClosedAndKeepsWhatItHas) {
  queue q;
  auto items = numbers(100);
  for (auto& i : items) ASSERT_TRUE(q.push(&i));
  q.close();
  q.close();
  std::uint64_t late = 7;
  EXPECT_FALSE(q.push(&late));
  EXPECT_EQ(q.size(), items.size());
  EXPECT_EQ(take_all(q, 9), items);
  EXPECT_FALSE(q.push(&late));
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.pushed(), items.size());
}

TEST(Injector, ForgetsWhatIsLeftInIt) {
  queue q;
  auto items = numbers(5 * queue::segment_slots);
  for (auto& i : items) ASSERT_TRUE(q.push(&i));
  std::uint64_t* out[100];
  EXPECT_EQ(q.pop(out, 100), 100u);
}  // the sanitizer's leak check sees the rest

// What consumers took, each in the order in which it came to them. Payload: producer * 2^32 + number.
struct harvest {
  std::vector<std::vector<std::uint64_t>> by_consumer;

  void check(std::size_t producers, std::size_t each) const {
    std::vector<std::uint64_t> all;
    for (const auto& taken : by_consumer) {
      std::vector<std::int64_t> last(producers, -1);
      for (const std::uint64_t item : taken) {
        const auto number = static_cast<std::int64_t>(item & 0xffffffffU);
        ASSERT_GT(number, last[item >> 32]) << "a consumer got one producer's items out of order";
        last[item >> 32] = number;
      }
      all.insert(all.end(), taken.begin(), taken.end());
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), producers * each);
    for (std::size_t i = 0; i < all.size(); ++i)
      ASSERT_EQ(all[i], (static_cast<std::uint64_t>(i / each) << 32) + i % each);
  }
};

harvest run(std::size_t producers, std::size_t consumers, std::size_t each, std::size_t most) {
  queue q;
  std::vector<std::vector<std::uint64_t>> items(producers);
  for (std::size_t p = 0; p < producers; ++p) {
    for (std::size_t i = 0; i < each; ++i) items[p].push_back((static_cast<std::uint64_t>(p) << 32) + i);
  }
  harvest result;
  result.by_consumer.resize(consumers);
  std::atomic<std::size_t> taken{0};
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      for (auto& i : items[p]) EXPECT_TRUE(q.push(&i));
    });
  }
  for (std::size_t c = 0; c < consumers; ++c) {
    threads.emplace_back([&, c] {
      std::vector<std::uint64_t*> batch(most);
      while (taken.load() < producers * each) {
        const std::size_t count = q.pop(batch.data(), most, 1 + c % 3);
        if (count == 0) std::this_thread::yield();
        for (std::size_t i = 0; i < count; ++i) result.by_consumer[c].push_back(*batch[i]);
        taken += count;
      }
    });
  }
  for (auto& t : threads) t.join();
  return result;
}

TEST(Injector, LosesNothingAmongManyThreads) {
  const auto each = static_cast<std::size_t>(40000 / tandem::test::slowness());
  run(1, 1, each, 32).check(1, each);
  run(1, 4, each, 1).check(1, each);
  run(4, 1, each, 32).check(4, each);
  run(4, 4, each, 5).check(4, each);
  run(16, 16, each / 8, 32).check(16, each / 8);
}

TEST(Injector, AcceptsOrRefusesWhileItIsClosed) {
  for (int round = 0; round < 100; ++round) {
    queue q;
    auto items = numbers(3000);
    std::atomic<std::size_t> accepted{0};
    std::vector<std::thread> threads;
    for (std::size_t p = 0; p < 3; ++p) {
      threads.emplace_back([&, p] {
        for (std::size_t i = p; i < items.size(); i += 3) {
          if (!q.push(&items[i])) return;
          ++accepted;
        }
      });
    }
    while (accepted < 50) std::this_thread::yield();
    q.close();
    // From here on the queue only shrinks: when it is empty, it is so for good.
    std::vector<std::uint64_t> got;
    while (!q.empty()) {
      for (const auto i : take_all(q, 8)) got.push_back(i);
    }
    const std::size_t taken = got.size();
    for (auto& t : threads) t.join();
    ASSERT_TRUE(q.empty());
    ASSERT_EQ(taken, accepted);
    ASSERT_EQ(q.pushed(), accepted);
  }
}

}  // namespace
