// The queue from outside: what was pushed is taken once, in order, also where a producer is overtaken, where a segment is used up
// and used again, and where the queue is closed meanwhile.
#include "dispatch/injector.hpp"

#include "model/atomic.hpp"
#include "model/expect_right.hpp"
#include "model/explorer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace tandem::model {
namespace {

struct item {
  plain<int> content;
  int taken = 0;
  bool refused = false;
};

// Tickets run through the directory's four entries again and again; a consumer looks twice before it gives a slot up.
constexpr dispatch::injector_sizes small{.segment_slots = 2, .most_segments = 4, .patience = 1};

struct scene {
  dispatch::injector<item, small> queue;
  std::array<item, 16> items;

  void push(std::size_t i) {
    items[i].content.write(1);
    items[i].refused = !queue.push(&items[i]);
  }
  // Returns what was taken.
  std::vector<std::size_t> pop(std::size_t most) {
    std::array<item*, 4> found{};
    const std::size_t count = queue.pop(found.data(), most);
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < count; ++i) {
      check(found[i]->content.read() == 1, "an item without its content");
      check(++found[i]->taken == 1, "an item is taken twice");
      which.push_back(static_cast<std::size_t>(found[i] - items.data()));
    }
    return which;
  }
  void nothing_is_lost(std::size_t pushed) {
    while (!queue.empty()) (void)pop(4);
    for (std::size_t i = 0; i < pushed; ++i)
      check(items[i].taken == (items[i].refused ? 0 : 1), "an item is lost, or was taken though refused");
  }
};

void two_producers_and_a_consumer() {
  scene s;
  for (const std::size_t first : {0U, 4U}) {
    spawn([&s, first] {
      s.push(first);
      s.push(first + 1);
    });
  }
  spawn([&] {
    for (int i = 0; i < 2; ++i) (void)s.pop(2);
  });
  join_all();
  while (!s.queue.empty()) (void)s.pop(4);
  for (const std::size_t i : {0U, 1U, 4U, 5U}) check(s.items[i].taken == 1, "an item is lost");
}

void a_producer_and_two_consumers() {
  scene s;
  spawn([&] {
    for (std::size_t i = 0; i < 3; ++i) s.push(i);
  });
  for (int c = 0; c < 2; ++c) {
    spawn([&] {
      (void)s.pop(2);
      (void)s.pop(2);
    });
  }
  join_all();
  s.nothing_is_lost(3);
}

void tickets_run_round_the_directory() {
  scene s;
  // Never more than four at a time: nobody has to wait for room.
  for (std::size_t i = 0; i < 12; i += 3) {
    spawn([&s, i] {
      for (std::size_t k = 0; k < 3; ++k) s.push(i + k);
    });
    for (int c = 0; c < 2; ++c) spawn([&s] { (void)s.pop(2); });
    join_all();
    while (!s.queue.empty()) (void)s.pop(4);
  }
  s.nothing_is_lost(12);
}

void one_producer_s_items_come_in_order() {
  scene s;
  spawn([&] {
    for (std::size_t i = 0; i < 3; ++i) s.push(i);
  });
  spawn([&] {
    std::size_t next = 0;
    for (int i = 0; i < 3; ++i) {
      for (const std::size_t found : s.pop(2)) {
        check(found >= next, "an item comes behind a later one");
        next = found + 1;
      }
    }
  });
  join_all();
  s.nothing_is_lost(3);
}

void closing_against_pushing() {
  scene s;
  for (std::size_t i = 0; i < 2; ++i) spawn([&s, i] { s.push(i); });
  spawn([&] {
    s.queue.close();
    while (!s.queue.empty()) {
      if (s.pop(2).empty()) pause();
    }
    // Empty for good: whoever comes later is refused.
    int there = 0;
    for (std::size_t i = 0; i < 2; ++i) there += s.items[i].taken;
    s.push(2);
    check(s.items[2].refused && s.queue.empty() && there <= 2, "closed, and takes more");
  });
  join_all();
  check(s.queue.empty(), "closed and empty, and then there was something");
  s.nothing_is_lost(3);
}

TEST(InjectorModel, TwoProducersAndAConsumer) { expect_right(two_producers_and_a_consumer, 2, 60'000); }

TEST(InjectorModel, AProducerAndTwoConsumers) { expect_right(a_producer_and_two_consumers, 2, 60'000); }

TEST(InjectorModel, TicketsRunRoundTheDirectory) {
  const verdict v = explore(tickets_run_round_the_directory, {.executions = 20'000});
  EXPECT_TRUE(v.ok) << v.message << "\n" << v.trace;
}

TEST(InjectorModel, OneProducersItemsComeInOrder) {
  expect_right(one_producer_s_items_come_in_order, 3, 60'000);
}

TEST(InjectorModel, ClosingAgainstPushing) { expect_right(closing_against_pushing, 2, 60'000); }

}  // namespace
}  // namespace tandem::model
