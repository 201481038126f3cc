// The queues of the dispatch core under real threads: what they answer is what a queue, or a deque, would have answered; nothing is
// lost and nothing comes twice. As many operations as TANDEM_SOAK_OPERATIONS says (for each of the tests with *Soak*).
#include "stress/history.hpp"

#include "dispatch/batch_ring.hpp"
#include "dispatch/injector.hpp"
#include "support/rounds.hpp"
#include "support/seed.hpp"

#include <tandem/detail/fork_deque.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using tandem::test::item_history;
using tandem::test::now;
using tandem::test::seed_scope;

constexpr int histories = 300;

std::uint64_t soak_operations() {
  return static_cast<std::uint64_t>(tandem::test::soak_operations(2'000'000));
}

template <class Body>
void on_threads(unsigned count, Body body) {
  std::atomic<unsigned> ready{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < count; ++t) {
    threads.emplace_back([&, t] {
      ready.fetch_add(1);
      while (ready.load() < count) std::this_thread::yield();
      body(t);
    });
  }
}

// Segments of 32: hundreds of them are used up in a history.
using small_injector =
    tandem::dispatch::injector<item_history,
                               tandem::dispatch::injector_sizes{.segment_slots = 32, .most_segments = 4096}>;

struct with_number {
  std::uint64_t number = 0;
};

// --- the checks themselves ---------------------------------------------------------------------------------------

TEST(History, TellsAQueueFromOthers) {
  std::vector<item_history> items(2);
  items[0] = {.put_begin = 0, .put_end = 1, .take_begin = 10, .take_end = 11, .times_taken = 1};
  items[1] = {.put_begin = 2, .put_end = 3, .take_begin = 12, .take_end = 13, .times_taken = 1};
  EXPECT_EQ(why_no_queue(items), "");
  std::swap(items[0].take_begin, items[1].take_begin);
  std::swap(items[0].take_end, items[1].take_end);
  EXPECT_EQ(why_no_queue(items), "item 0 was put in before item 1 and taken after it");
  items[0].put_end = 2;  // now the two were put in at the same time
  EXPECT_EQ(why_no_queue(items), "");
  items[0].times_taken = 2;
  EXPECT_EQ(why_no_queue(items), "item 0 was taken 2 times");
}

TEST(History, TellsADequeFromOthers) {
  std::vector<item_history> items(2);
  items[0] = {.put_begin = 0, .put_end = 1, .take_begin = 10, .take_end = 11, .times_taken = 1};
  items[1] = {.put_begin = 2, .put_end = 3, .take_begin = 12, .take_end = 13, .times_taken = 1};
  EXPECT_EQ(why_no_deque(items), "");
  items[0].taken_by_owner = true;
  EXPECT_EQ(why_no_deque(items), "its owner took item 0 before item 1, which came later");
  items[0].taken_by_owner = false;
  std::swap(items[0].take_begin, items[1].take_begin);
  std::swap(items[0].take_end, items[1].take_end);
  EXPECT_EQ(why_no_deque(items), "item 1 was stolen before an older one was taken");
  items[1].taken_by_owner = true;
  EXPECT_EQ(why_no_deque(items), "") << "its owner takes the newest first";
}

// --- histories ---------------------------------------------------------------------------------------------------

TEST(DispatchHistory, InjectorIsAQueue) {
  const seed_scope seed;
  for (int round = 0; round < histories; ++round) {
    constexpr unsigned producers = 3;
    constexpr unsigned consumers = 2;
    constexpr std::size_t each = 700;
    small_injector queue;
    std::vector<item_history> items(producers * each);
    std::atomic<std::size_t> left{items.size()};
    on_threads(producers + consumers, [&](unsigned t) {
      auto random = seed_scope::generator(static_cast<unsigned>(round) * 16 + t);
      if (t < producers) {
        for (std::size_t i = t * each; i < (t + 1) * each; ++i) {
          items[i].put_begin = now();
          EXPECT_TRUE(queue.push(&items[i]));
          items[i].put_end = now();
          if (random() % 64 == 0) std::this_thread::yield();
        }
        return;
      }
      std::array<item_history*, 8> found{};
      while (left.load() > 0) {
        const std::int64_t begin = now();
        const std::size_t count = queue.pop(found.data(), 1 + random() % found.size(), 1 + random() % 3);
        const std::int64_t end = now();
        for (std::size_t i = 0; i < count; ++i) {
          found[i]->take_begin = begin;
          found[i]->take_end = end;
          ++found[i]->times_taken;
        }
        left.fetch_sub(count);
        if (count == 0) std::this_thread::yield();
      }
    });
    ASSERT_EQ(why_no_queue(items), "") << "in round " << round;
  }
}

TEST(DispatchHistory, ForkDequeIsADeque) {
  const seed_scope seed;
  for (int round = 0; round < histories; ++round) {
    constexpr std::size_t count = 2000;
    constexpr unsigned thieves = 2;
    tandem::detail::fork_deque<item_history, 32> deque;
    std::vector<item_history> items(count);
    std::atomic<std::size_t> left{count};
    const auto took = [&](item_history& item, std::int64_t begin, bool by_owner) {
      item.take_begin = begin;
      item.take_end = now();
      item.taken_by_owner = by_owner;
      ++item.times_taken;
      left.fetch_sub(1);
    };
    on_threads(1 + thieves, [&](unsigned t) {
      auto random = seed_scope::generator(static_cast<unsigned>(round) * 16 + t);
      if (t > 0) {
        while (left.load() > 0) {
          const std::int64_t begin = now();
          if (item_history* found = deque.steal()) took(*found, begin, false);
        }
        return;
      }
      const auto pop = [&] {
        const std::int64_t begin = now();
        if (item_history* found = deque.pop()) took(*found, begin, true);
      };
      for (item_history& item : items) {
        for (;;) {
          item.put_begin = now();
          const bool is_in = deque.push(&item, 0);
          if (is_in) break;
          pop();  // full
        }
        item.put_end = now();
        while (random() % 2 == 0) pop();
      }
      while (left.load() > 0) pop();
    });
    ASSERT_EQ(why_no_deque(items), "") << "in round " << round;
  }
}

// --- soaks -------------------------------------------------------------------------------------------------------

// Numbers that come by each once have this sum and this sum of squares, and hardly any others.
class balance {
 public:
  void add(std::uint64_t number) {
    sum_ += number;
    squares_ += number * number;
    ++count_;
  }
  void add(const balance& other) {
    sum_ += other.sum_;
    squares_ += other.squares_;
    count_ += other.count_;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  bool operator==(const balance&) const = default;

 private:
  std::uint64_t sum_ = 0;
  std::uint64_t squares_ = 0;
  std::uint64_t count_ = 0;
};

// Items are used again and again: each is in the queue at most once, with a new number.
TEST(DispatchSoak, InjectorAndRingsLoseNothing) {
  const seed_scope seed;
  constexpr unsigned producers = 2;
  constexpr unsigned consumers = 2;
  constexpr std::uint64_t in_flight = 20'000;
  const std::uint64_t each = soak_operations() / producers;
  tandem::dispatch::injector<with_number> queue;
  std::array<tandem::dispatch::batch_ring<with_number>, consumers> rings;
  std::array<balance, producers> put;
  std::array<balance, consumers> taken;
  std::atomic<std::uint64_t> pushed{0};
  std::atomic<std::uint64_t> done{0};
  on_threads(producers + consumers, [&](unsigned t) {
    auto random = seed_scope::generator(t);
    if (t < producers) {
      for (std::uint64_t i = 0; i < each; ++i) {
        while (i % 1024 == 0 && pushed.load() - done.load() > in_flight) std::this_thread::yield();
        auto item = std::make_unique<with_number>(with_number{random()});
        put[t].add(item->number);
        ASSERT_TRUE(queue.push(item.release()));
        pushed.fetch_add(1, std::memory_order_relaxed);
      }
      return;
    }
    const unsigned self = t - producers;
    const auto take = [&](with_number* item) {
      taken[self].add(item->number);
      delete item;
      done.fetch_add(1, std::memory_order_relaxed);
    };
    std::array<with_number*, 32> batch{};
    while (done.load(std::memory_order_relaxed) < each * producers) {
      std::size_t count = queue.pop(batch.data(), 1 + random() % batch.size(), 2);
      if (count == 0) count = rings[1 - self].steal(batch.data(), batch.size());
      if (count == 0) {
        std::this_thread::yield();
        continue;
      }
      take(batch[0]);
      if (count > 1) rings[self].fill(batch.data() + 1, count - 1);
      while (with_number* item = rings[self].pop()) take(item);
    }
  });
  put[0].add(put[1]);
  taken[0].add(taken[1]);
  EXPECT_EQ(taken[0].count(), each * producers);
  EXPECT_TRUE(put[0] == taken[0]) << "something was lost, and something else came twice";
  EXPECT_TRUE(queue.empty());
}

TEST(DispatchSoak, ForkDequeLosesNothing) {
  const seed_scope seed;
  constexpr unsigned thieves = 2;
  const std::uint64_t count = soak_operations();
  tandem::detail::fork_deque<with_number> deque;
  std::vector<with_number> items(
      4096);  // used in turn: the deque holds fewer, and a thief is done with its own at once
  std::vector<std::atomic<bool>> in_use(items.size());
  balance put;
  std::array<balance, 1 + thieves> taken;
  std::atomic<bool> over{false};
  on_threads(1 + thieves, [&](unsigned t) {
    auto random = seed_scope::generator(t);
    const auto take = [&](with_number* item) {
      if (item == nullptr) return;
      taken[t].add(item->number);
      in_use[static_cast<std::size_t>(item - items.data())].store(false, std::memory_order_release);
    };
    if (t > 0) {
      while (!over.load(std::memory_order_relaxed)) take(deque.steal());
      return;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::size_t at = i % items.size();
      while (in_use[at].load(std::memory_order_acquire)) take(deque.pop());
      items[at].number = random();
      in_use[at].store(true, std::memory_order_relaxed);
      put.add(items[at].number);
      while (!deque.push(&items[at], 0)) take(deque.pop());
      while (random() % 2 == 0) take(deque.pop());
    }
    while (!deque.empty()) take(deque.pop());
    over.store(true);
  });
  for (unsigned t = 1; t <= thieves; ++t) taken[0].add(taken[t]);
  EXPECT_EQ(taken[0].count(), count);
  EXPECT_TRUE(taken[0] == put) << "something was lost, and something else came twice";
}

}  // namespace
