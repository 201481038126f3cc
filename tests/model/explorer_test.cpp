// The explorer itself, by the programs that every text on memory models begins with.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <utility>

#include "model/atomic.hpp"
#include "model/explorer.hpp"

namespace tandem::model {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto seq_cst = std::memory_order_seq_cst;

// Two threads store into one variable each and look at the other's. Which pairs of values do they see?
std::set<std::pair<int, int>> store_buffering(std::memory_order store, std::memory_order load) {
  std::set<std::pair<int, int>> seen;
  const verdict v = explore(
      [&] {
        atomic<int> x;
        atomic<int> y;
        int a = 0;
        int b = 0;
        spawn([&] {
          x.store(1, store);
          a = y.load(load);
        });
        spawn([&] {
          y.store(1, store);
          b = x.load(load);
        });
        join_all();
        seen.emplace(a, b);
      },
      {.preemptions = 3});
  EXPECT_TRUE(v.complete);
  EXPECT_TRUE(v.ok) << v.message;
  return seen;
}

TEST(Explorer, StoresMayBeSeenLate) {
  EXPECT_EQ(store_buffering(release, acquire),
            (std::set<std::pair<int, int>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

TEST(Explorer, SequentiallyConsistentOnesMayNot) {
  EXPECT_EQ(store_buffering(seq_cst, seq_cst), (std::set<std::pair<int, int>>{{0, 1}, {1, 0}, {1, 1}}));
}

verdict message_passing(std::memory_order store, std::memory_order load) {
  return explore(
      [&] {
        plain<int> message;
        atomic<bool> there;
        spawn([&] {
          message.write(7);
          there.store(true, store);
        });
        spawn([&] {
          if (there.load(load)) check(message.read() == 7, "an old message");
        });
        join_all();
      },
      {.preemptions = 3});
}

TEST(Explorer, ReleaseAndAcquireOrderPlainAccesses) {
  EXPECT_TRUE(message_passing(release, acquire).ok);
  EXPECT_FALSE(message_passing(relaxed, acquire).ok);
  EXPECT_FALSE(message_passing(release, relaxed).ok);
}

TEST(Explorer, ReadModifyWritesLoseNothing) {
  const verdict v = explore(
      [] {
        atomic<int> n;
        for (int t = 0; t < 3; ++t) spawn([&] { n.fetch_add(1, relaxed); });
        join_all();
        check(n.load() == 3, "an increment is lost");
      },
      {.preemptions = 3});
  EXPECT_TRUE(v.ok && v.complete) << v.message;
}

TEST(Explorer, FindsWhatOnlyOnePreemptionShows) {
  const auto program = [] {
    atomic<int> n;
    for (int t = 0; t < 2; ++t) spawn([&] { n.store(n.load() + 1); });
    join_all();
    check(n.load() == 2, "an increment is lost");
  };
  EXPECT_TRUE(explore(program, {.preemptions = 0}).ok);
  const verdict found = explore(program, {.preemptions = 1});
  EXPECT_FALSE(found.ok);
  EXPECT_NE(found.trace.find("store"), std::string::npos);
  EXPECT_FALSE(explore(program, {.executions = 1000}).ok) << "also at random";
}

TEST(Explorer, FindsALostWake) {
  const auto program = [](bool looks) {
    return [looks] {
      atomic<int> ready;
      atomic<int> asleep;
      spawn([&] {
        asleep.store(1);
        if (looks && ready.load() != 0) return;
        if (asleep.newest() == 1) (void)detail::sleep_on(&asleep, false);  // as a futex, in one step
      });
      spawn([&] {
        ready.store(1);
        if (asleep.exchange(0) != 0) detail::wake(&asleep, 1);
      });
      join_all();
    };
  };
  EXPECT_TRUE(explore(program(true), {.preemptions = 3}).ok);
  const verdict v = explore(program(false), {.preemptions = 3});
  EXPECT_FALSE(v.ok);
  EXPECT_NE(v.message.find("asleep for ever"), std::string::npos) << v.message;
}

TEST(Explorer, CoherenceNobodySeesTheOlderAfterTheNewer) {
  const verdict v = explore(
      [] {
        atomic<int> x;
        spawn([&] {
          x.store(1, relaxed);
          x.store(2, relaxed);
        });
        spawn([&] {
          const int first = x.load(relaxed);
          check(x.load(relaxed) >= first, "it went back");
        });
        join_all();
      },
      {.preemptions = 3});
  EXPECT_TRUE(v.ok && v.complete) << v.message;
}

TEST(Explorer, EndlessLoopIsAFailure) {
  const verdict v = explore(
      [] {
        atomic<bool> never;
        spawn([&] {
          while (!never.load()) pause();
        });
        join_all();
      },
      {.preemptions = 1, .most_steps = 1000});
  EXPECT_FALSE(v.ok);
}

}  // namespace
}  // namespace tandem::model
