// The deque of forked branches: each item is taken once, by somebody who sees what is in it.
#include "model/atomic.hpp"
#include "model/expect_right.hpp"
#include "model/explorer.hpp"

#include <tandem/detail/fork_deque.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace tandem::model {
namespace {

struct item {
  plain<int> content;
  int taken = 0;  // by one thread at a time: fibers
};

constexpr int most_items = 4;

template <std::size_t Capacity>
struct scene {
  tandem::detail::fork_deque<item, Capacity> deque;
  std::array<item, most_items> items;
  int left_out = 0;

  void push(int i) {
    items[static_cast<std::size_t>(i)].content.write(i + 1);
    if (!deque.push(&items[static_cast<std::size_t>(i)], tag_of(i))) ++left_out;
  }
  static std::uint64_t tag_of(int i) { return static_cast<std::uint64_t>(i % 2); }
  // Of the oldest only, and only if it has this tag.
  void steal_tagged(std::uint64_t tag) {
    item* taken = deque.steal_if([tag](std::uint64_t found) { return found == tag; });
    if (taken != nullptr)
      check(tag_of(static_cast<int>(taken - items.data())) == tag, "another tag than wanted");
    take(taken);
  }
  static void take(item* taken) {
    if (taken == nullptr) return;
    check(taken->content.read() > 0, "an item without its content");
    check(++taken->taken == 1, "an item is taken twice");
  }
  void nothing_is_lost(int pushed) {
    int taken = 0;
    for (const item& i : items) taken += i.taken;
    while (item* i = deque.pop()) {
      take(i);
      ++taken;
    }
    check(taken + left_out == pushed, "an item is lost");
    check(deque.empty(), "empty, and says it is not");
  }
};

void last_item_against_two_thieves() {
  scene<4> s;
  s.push(0);
  spawn([&] { s.take(s.deque.pop()); });
  for (int t = 0; t < 2; ++t) spawn([&] { s.take(s.deque.steal()); });
  join_all();
  s.nothing_is_lost(1);
}

void owner_against_two_thieves() {
  scene<2> s;
  spawn([&] {
    s.push(0);
    s.push(1);
    s.push(2);  // full, unless one was stolen: then where that was
    s.take(s.deque.pop());
    s.take(s.deque.pop());
    s.push(3);
  });
  for (int t = 0; t < 2; ++t) {
    spawn([&] {
      s.take(s.deque.steal());
      s.take(s.deque.steal());
    });
  }
  join_all();
  s.nothing_is_lost(4);
}

// A waiter that looks for a certain item takes others aside and puts them back.
void owner_puts_back_against_choosy_thieves() {
  scene<2> s;
  spawn([&] {
    s.push(0);
    s.push(1);
    item* aside = s.deque.pop();
    if (aside != nullptr) {
      s.take(s.deque.pop());
      check(s.deque.push(aside, s.tag_of(static_cast<int>(aside - s.items.data()))),
            "full, though one was taken out");
    }
    s.push(2);
    s.push(3);
  });
  for (const std::uint64_t tag : {0U, 1U}) {
    spawn([&s, tag] {
      s.steal_tagged(tag);
      s.steal_tagged(tag);
    });
  }
  join_all();
  s.nothing_is_lost(4);
}

TEST(ForkDequeModel, LastItemAgainstTwoThieves) { expect_right(last_item_against_two_thieves, 4, 20'000); }

TEST(ForkDequeModel, OwnerAgainstTwoThieves) { expect_right(owner_against_two_thieves, 2, 100'000); }

TEST(ForkDequeModel, OwnerPutsBackAgainstChoosyThieves) {
  expect_right(owner_puts_back_against_choosy_thieves, 2, 100'000);
}

}  // namespace
}  // namespace tandem::model
