// How many tasks wait in a bounded queue: exact, also while they go from waiting to running.
#include "executor/waiting_count.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

#include <gtest/gtest.h>

#include "support/watchdog.hpp"

namespace tandem::detail {
namespace {

// What a pool has: the count, and how many have ended, which its workers count.
struct queue {
  [[nodiscard]] bool try_enter(int capacity, int workers) {
    return waiting.try_enter(capacity, workers, [this] { return finished.load(); });
  }

  waiting_count waiting;
  std::atomic<std::int64_t> finished{0};
};

TEST(WaitingCount, HasRoomForItsCapacityAndForEachFreeWorker) {
  queue q;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(q.try_enter(2, 1));
  EXPECT_FALSE(q.try_enter(2, 1));
  q.waiting.begin();
  EXPECT_EQ(q.waiting.waiting(), 2);
  EXPECT_FALSE(q.try_enter(2, 1)) << "the worker is not free any more";
  ++q.finished;
  EXPECT_TRUE(q.try_enter(2, 1));
  EXPECT_FALSE(q.try_enter(2, 1));
  EXPECT_TRUE(q.try_enter(2, 2)) << "one more worker";
  q.waiting.leave();
  EXPECT_TRUE(q.try_enter(2, 2));
}

TEST(WaitingCount, TaskThatRunsInPlaceTakesAWorkerAndKeepsItsPlace) {
  queue q;
  q.waiting.enter();
  q.waiting.begin_in_place();
  EXPECT_EQ(q.waiting.waiting(), 1);
  EXPECT_FALSE(q.try_enter(1, 1));
  ++q.finished;
  EXPECT_TRUE(q.try_enter(1, 1));
}

// Calls step() again and again while another thread looks; looked() must be true each time.
template <class Step, class Look>
void look_at(int rounds, Step step, Look look) {
  std::atomic<bool> over{false};
  std::thread other([&] {
    for (int i = 0; i < rounds; ++i) step();
    over = true;
  });
  bool good = true;
  while (!over) good = look() && good;
  other.join();
  EXPECT_TRUE(good);
}

TEST(WaitingCount, TaskThatIsBegunIsNeverCountedTwiceOrNotAtAll) {
  const int rounds = 300'000 / test::slowness();
  {
    queue q;  // one task always waits or runs; the next one comes before it has ended
    q.waiting.enter();
    look_at(
        rounds,
        [&q] {
          q.waiting.begin();
          q.waiting.enter();
          ++q.finished;
        },
        [&q] { return !q.try_enter(0, 1); });
  }
  {
    queue q;  // the next one comes when it has ended
    q.waiting.enter();
    look_at(
        rounds,
        [&q] {
          q.waiting.begin();
          ++q.finished;
          q.waiting.enter();
        },
        [&q] {
          if (!q.try_enter(1, 1)) return false;
          q.waiting.leave();
          return true;
        });
  }
}

TEST(WaitingCount, NeverMoreEnterThanMay) {
  const int rounds = 2'000'000 / test::slowness();
  queue q;
  std::atomic<int> there{0};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  const auto come_and_go = [&] {
    ++there;
    while (there != 2) std::this_thread::yield();
    for (int i = 0; i < rounds; ++i) {
      if (!q.try_enter(1, 0)) continue;
      const int now = ++inside;
      if (now > most) most = now;
      --inside;
      q.waiting.leave();
    }
  };
  std::thread one(come_and_go);
  std::thread other(come_and_go);
  one.join();
  other.join();
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace tandem::detail
