// What a worker has taken and not begun: each item is taken once, by the owner or by a thief, also where the ring is filled again.
#include "dispatch/batch_ring.hpp"

#include "model/atomic.hpp"
#include "model/expect_right.hpp"
#include "model/explorer.hpp"

#include <gtest/gtest.h>

#include <array>

namespace tandem::model {
namespace {

struct item {
  plain<int> content;
  int taken = 0;
};

struct scene {
  dispatch::batch_ring<item, 2> ring;
  std::array<item, 6> items;
  std::size_t filled = 0;

  void fill(std::size_t count) {
    std::array<item*, 2> batch{};
    for (std::size_t i = 0; i < count; ++i) {
      batch[i] = &items[filled++];
      batch[i]->content.write(1);
    }
    ring.fill(batch.data(), count);
  }
  static bool take(item* found) {
    if (found == nullptr) return false;
    check(found->content.read() == 1, "an item without its content");
    check(++found->taken == 1, "an item is taken twice");
    return true;
  }
  void steal() {
    std::array<item*, 2> found{};
    const std::size_t count = ring.steal(found.data(), 2);
    for (std::size_t i = 0; i < count; ++i) take(found[i]);
  }
  void nothing_is_lost() {
    while (take(ring.pop())) {}
    check(ring.empty(), "empty, and says it is not");
    for (std::size_t i = 0; i < filled; ++i) check(items[i].taken == 1, "an item is lost");
  }
};

void owner_refills_under_thieves(int thieves) {
  scene s;
  spawn([&] {
    for (const std::size_t count : {2U, 1U, 2U}) {
      s.fill(count);
      while (s.take(s.ring.pop())) {}
    }
  });
  for (int t = 0; t < thieves; ++t) {
    spawn([&] {
      s.steal();
      s.steal();
    });
  }
  join_all();
  s.nothing_is_lost();
}

TEST(BatchRingModel, OwnerRefillsUnderAThief) {
  expect_right([] { owner_refills_under_thieves(1); }, 3, 60'000);
}

TEST(BatchRingModel, OwnerRefillsUnderTwoThieves) {
  expect_right([] { owner_refills_under_thieves(2); }, 2, 60'000);
}

}  // namespace
}  // namespace tandem::model
