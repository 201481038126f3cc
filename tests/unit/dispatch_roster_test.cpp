// The roster: who is called when work appears, and that no sleeper is forgotten.
#include "dispatch/roster.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "posix/clock.hpp"
#include "support/watchdog.hpp"

namespace {

using tandem::dispatch::roster;
using namespace std::chrono_literals;

// Worker `index` comes on duty and goes to sleep, without a thread of its own.
void start_and_lie_down(roster& r, int index) {
  ASSERT_TRUE(r.begin_start());
  ASSERT_TRUE(r.lie_down(index));
}

TEST(Roster, StartsOneAtATimeUpToItsLimit) {
  roster r(4, 2);
  EXPECT_FALSE(r.is_served(r.look()));
  EXPECT_TRUE(r.begin_start());
  EXPECT_TRUE(r.is_served(r.look()));  // the new one searches
  EXPECT_FALSE(r.begin_start());
  r.end_search();
  EXPECT_FALSE(r.is_served(r.look()));
  EXPECT_TRUE(r.begin_start());
  r.end_search();
  EXPECT_EQ(r.look().active(), 2);
  EXPECT_TRUE(r.is_served(r.look()));  // all run
  EXPECT_FALSE(r.begin_start());
}

TEST(Roster, TakesAFailedStartBack) {
  roster r(1, 1);
  EXPECT_TRUE(r.begin_start());
  r.undo_start();
  EXPECT_EQ(r.look().active(), 0);
  EXPECT_EQ(r.look().searchers(), 0);
  EXPECT_TRUE(r.begin_start());
}

TEST(Roster, WakesTheLastOneThatLayDownAndOnlyOne) {
  roster r(3, 3);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(r.begin_start() || i > 0);
    if (i > 0) {  // somebody sleeps: no start, so it comes in as one that was blocked
      r.enter();
      r.begin_search();
    }
    ASSERT_TRUE(r.lie_down(i));
  }
  EXPECT_EQ(r.look().top(), 3);
  EXPECT_FALSE(r.is_served(r.look()));
  EXPECT_TRUE(r.wake_one());
  EXPECT_EQ(r.look().top(), 2);
  EXPECT_EQ(r.look().searchers(), 1);
  EXPECT_TRUE(r.is_served(r.look()));
  EXPECT_FALSE(r.wake_one());  // it searches
  r.sleep(2);                  // returns: called
  r.end_search();
  EXPECT_TRUE(r.wake_one());
  EXPECT_EQ(r.look().top(), 1);
}

TEST(Roster, ABlockedWorkerMakesRoomAndASurplusOneLeaves) {
  roster r(3, 1);
  EXPECT_TRUE(r.begin_start());
  r.end_search();
  EXPECT_FALSE(r.leave_if_surplus(false));
  r.leave();
  EXPECT_TRUE(r.begin_start());  // the spare
  r.end_search();
  r.enter();
  EXPECT_EQ(r.look().active(), 2);
  EXPECT_TRUE(r.is_served(r.look()));
  EXPECT_TRUE(r.leave_if_surplus(false));
  EXPECT_FALSE(r.leave_if_surplus(false));
  EXPECT_EQ(r.look().active(), 1);
}

// What follows close().
void wake_all(roster& r) {
  while (r.fill_any()) {}
}

TEST(Roster, ClosedLetsNobodyLieDown) {
  roster r(2, 2);
  start_and_lie_down(r, 0);
  std::thread sleeper([&] { r.sleep(0); });
  r.close();
  wake_all(r);
  sleeper.join();
  EXPECT_TRUE(r.look().closed());
  EXPECT_TRUE(r.look().ending());
  EXPECT_FALSE(r.look().broken());
  EXPECT_FALSE(r.lie_down(0));
  r.retire();
  EXPECT_EQ(r.look().active(), 0);
  EXPECT_EQ(r.look().searchers(), 0);
}

TEST(Roster, IsBrokenDownOnce) {
  roster r(1, 1);
  EXPECT_TRUE(r.break_down());
  EXPECT_FALSE(r.break_down());
  EXPECT_TRUE(r.look().broken());
}

TEST(Roster, ANapEndsWithItsTimeOrARecall) {
  roster r(1, 1);
  r.prepare_nap(0);
  EXPECT_FALSE(r.nap(0, tandem::posix::deadline_after(1ms)));
  r.prepare_nap(0);
  r.recall(0);
  EXPECT_TRUE(r.nap(0, tandem::posix::deadline_after(1h)));
  r.prepare_nap(0);
  std::thread other([&] { r.recall(0); });
  EXPECT_TRUE(r.nap(0, tandem::posix::deadline_after(1h)));
  other.join();
}

// Lies down and sleeps until its time is over.
void go_to_sleep_for_too_long(roster& r, int index) {
  ASSERT_TRUE(r.lie_down(index));
  ASSERT_FALSE(r.sleep(index, tandem::posix::deadline_after(1ms)));
}

using outcome = roster::call::outcome;

TEST(Roster, AVacantBedIsShownAndFilledByWhoeverStartsAThread) {
  roster r(2, 2);
  ASSERT_TRUE(r.begin_start());
  go_to_sleep_for_too_long(r, 1);
  ASSERT_TRUE(r.vacate(1));
  EXPECT_FALSE(r.is_served(r.look()));
  EXPECT_FALSE(r.begin_start());  // there is one to be called
  EXPECT_EQ(r.wake_one().what, outcome::asked);
  EXPECT_EQ(r.look().top(), 2) << "only asked";
  const roster::call filled = r.fill_one();
  EXPECT_EQ(filled.what, outcome::vacant);
  EXPECT_EQ(filled.index, 1);
  EXPECT_EQ(r.look().top(), 0);
  EXPECT_EQ(r.look().searchers(), 1);
  EXPECT_EQ(r.look().active(), 1);
  ASSERT_TRUE(r.lie_down(1));  // the new thread
  EXPECT_TRUE(r.wake_one());
}

TEST(Roster, OneThatIsEndingIsPassedAndMayNotStay) {
  roster r(2, 2);
  ASSERT_TRUE(r.begin_start());
  go_to_sleep_for_too_long(r, 0);
  r.enter();
  r.begin_search();
  ASSERT_TRUE(r.lie_down(1));
  const roster::call first = r.wake_one();
  EXPECT_TRUE(first);
  EXPECT_EQ(first.index, 1);
  EXPECT_FALSE(first.passed);
  r.end_search();
  const roster::call second = r.wake_one();
  EXPECT_EQ(second.what, outcome::nobody);
  EXPECT_TRUE(second.passed);
  EXPECT_EQ(r.look().top(), 0);
  EXPECT_EQ(r.look().searchers(), 0);
  EXPECT_EQ(r.look().active(), 1) << "the one that goes does not count any more";
  EXPECT_FALSE(r.vacate(0));
}

TEST(Roster, OneThatIsCalledAtTheLastMomentDoesNotEnd) {
  roster r(1, 1);
  ASSERT_TRUE(r.begin_start());
  ASSERT_TRUE(r.lie_down(0));
  EXPECT_TRUE(r.wake_one());
  EXPECT_TRUE(r.sleep(0, tandem::posix::deadline_after(0ms)));
}

TEST(Roster, MayGrowAndShrink) {
  roster r(1, 1);
  EXPECT_TRUE(r.begin_start());
  r.end_search();
  EXPECT_TRUE(r.is_served(r.look()));
  r.reserve(200);
  r.set_most_active(2);
  EXPECT_FALSE(r.is_served(r.look()));
  EXPECT_TRUE(r.begin_start());
  ASSERT_TRUE(r.lie_down(199));
  EXPECT_TRUE(r.wake_one());
  r.end_search();
  r.set_most_active(1);
  EXPECT_TRUE(r.may_be_surplus());
  EXPECT_TRUE(r.leave_if_surplus(false));
  EXPECT_TRUE(r.may_be_surplus());
  EXPECT_FALSE(r.leave_if_surplus(false));
  EXPECT_FALSE(r.may_be_surplus());
  EXPECT_EQ(r.look().active(), 1);
}

// Workers over a mere counter of work, as README.md tells them to behave. Each producer waits until its work is done
// before it brings more, so that everybody sleeps again and again; a lost wake hangs.
TEST(RosterStress, LosesNoWake) {
  constexpr int workers = 3;
  constexpr int producers = 2;
  const int rounds = 20000 / tandem::test::slowness();
  roster r(workers, workers);
  std::atomic<int> work{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i) {
    r.enter();
    r.begin_search();
    threads.emplace_back([&, i] {
      for (;;) {
        int available = work.load();
        while (available > 0 && !work.compare_exchange_weak(available, available - 1)) {}
        if (available > 0) {
          r.end_search();
          if (!r.is_served(r.look()) && work.load() > 0) r.wake_one();
          r.begin_search();
          continue;
        }
        if (!r.lie_down(i)) {
          if (work.load() > 0) continue;
          r.retire();
          return;
        }
        if (work.load() > 0) r.wake_one();
        r.sleep(i);
      }
    });
  }
  std::vector<std::thread> bringers;
  for (int p = 0; p < producers; ++p) {
    bringers.emplace_back([&, p] {
      for (int i = 0; i < rounds; ++i) {
        work.fetch_add(1 + (i + p) % 3);
        if (!r.is_served(r.look())) r.wake_one();
        while (work.load() > 0) std::this_thread::yield();
      }
    });
  }
  for (auto& t : bringers) t.join();
  r.close();
  wake_all(r);
  for (auto& t : threads) t.join();
  EXPECT_EQ(work, 0);
  EXPECT_EQ(r.look().active(), 0);
  EXPECT_EQ(r.look().searchers(), 0);
}

}  // namespace
