// The timer: order, stopping, the thread that comes and goes, and alarms that race with their owner's end.
#include "timer/timer.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/asleep.hpp"
#include "support/gate.hpp"
#include "support/processes.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace tandem {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

class call final : public timer::alarm {
 public:
  explicit call(std::function<void()> rung, std::function<void()> dropped = {})
      : rung_(std::move(rung)), dropped_(std::move(dropped)) {}
  void ring() noexcept override { rung_(); }
  void drop() noexcept override {
    if (dropped_) dropped_();
  }

 private:
  const std::function<void()> rung_;
  const std::function<void()> dropped_;
};

timer::handle set(clock::duration ahead, std::function<void()> rung, const void* owner = nullptr,
                  std::function<void()> dropped = {}) {
  return timer::set(clock::now() + ahead, std::make_unique<call>(std::move(rung), std::move(dropped)), owner);
}

// 0: there is none.
int thread_id() {
  for (const auto& [id, name] : test::threads()) {
    if (name.find("tandem-timer") != std::string::npos) return id;
  }
  return 0;
}

bool has_thread() { return thread_id() != 0; }

TEST(Timer, RingsInTheOrderOfTheTimes) {
  std::vector<int> order;
  test::counter rung;
  // The timer is busy until all are set.
  test::gate ringing;
  test::gate go_on;
  set(0ms, [&] {
    ringing.open();
    go_on.wait();
  });
  ringing.wait();
  const auto at = clock::now() + 5ms;
  const auto note = [&](int i) {
    return [&order, &rung, i] {
      order.push_back(i);
      rung.add();
    };
  };
  timer::set(at + 2ms, std::make_unique<call>(note(3)), nullptr);
  timer::set(at, std::make_unique<call>(note(1)), nullptr);
  timer::set(at, std::make_unique<call>(note(2)), nullptr);
  go_on.open();
  rung.wait_for(3);
  EXPECT_GE(clock::now(), at + 2ms);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Timer, RingsAtOnceWhatIsPast) {
  test::counter rung;
  timer::set(clock::time_point::min(), std::make_unique<call>([&] { rung.add(); }), nullptr);
  rung.wait_for(1);
}

TEST(Timer, SleepsShorterWhenAnEarlierAlarmIsSet) {
  test::counter rung;
  const timer::handle late = set(1h, [] {});
  while (!has_thread()) std::this_thread::yield();  // it has yet to give itself its name
  test::wait_until_asleep(thread_id());
  set(1ms, [&] { rung.add(); });
  rung.wait_for(1);
  EXPECT_TRUE(timer::stop(late));
}

TEST(Timer, MissesNoAlarmThatIsSetWhileItFallsAsleep) {
  const test::seed_scope seed;
  auto random = test::seed_scope::generator();
  test::counter rung;
  const timer::handle late = set(1h, [] {});
  const int rounds = 5000 / test::slowness();
  for (int i = 0; i < rounds; ++i) {
    for (auto n = random() % 8192; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
    set(0ms, [&] { rung.add(); });
    rung.wait_for(i + 1);  // from here on it is about to sleep for an hour
  }
  EXPECT_TRUE(timer::stop(late));
}

TEST(Timer, StoppedAlarmIsDestroyedAndNeitherRingsNorDrops) {
  const auto token = std::make_shared<int>();
  const timer::handle alarm = set(
      1h, [token] { ADD_FAILURE(); }, nullptr, [] { ADD_FAILURE(); });
  EXPECT_EQ(token.use_count(), 2);
  EXPECT_TRUE(timer::stop(alarm));
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(timer::stop(alarm));
  EXPECT_FALSE(timer::stop({}));
}

TEST(Timer, StopsThoseOfAnOwnerOnly) {
  int dropped = 0;
  const int mine = 0;
  const int other = 0;
  for (int i = 0; i < 5; ++i)
    set(
        1h, [] {}, &mine, [&] { ++dropped; });
  const timer::handle theirs = set(
      1h, [] {}, &other);
  timer::stop_all(&mine);
  EXPECT_EQ(dropped, 5);
  EXPECT_TRUE(timer::stop(theirs));
  timer::stop_all(&mine);
}

TEST(Timer, StopOfAllWaitsForTheOneThatRings) {
  test::gate ringing;
  test::gate go_on;
  std::atomic<bool> rung{false};
  const int owner = 0;
  set(
      0ms,
      [&] {
        ringing.open();
        go_on.wait();
        rung = true;
      },
      &owner);
  ringing.wait();
  std::thread opener([&] { go_on.open(); });
  timer::stop_all(&owner);
  EXPECT_TRUE(rung);
  opener.join();
}

TEST(Timer, StopOfAllWaitsForAnotherThreadThatDrops) {
  test::gate dropping;
  test::gate go_on;
  std::atomic<bool> dropped{false};
  const int owner = 0;
  const auto slow = [&] {
    dropping.open();
    go_on.wait();
    dropped = true;
  };
  set(
      1h, [] {}, &owner, slow);
  std::thread other([&] { timer::stop_all(&owner); });
  dropping.wait();
  std::thread opener([&] { go_on.open(); });
  timer::stop_all(&owner);
  EXPECT_TRUE(dropped);
  opener.join();
  other.join();
}

TEST(Timer, StopOfAllMayBeCalledByAnAlarmThatIsDropped) {
  int dropped = 0;
  const int owner = 0;
  const auto again = [&] {
    timer::stop_all(&owner);
    timer::drop_all(&owner);
    ++dropped;
  };
  for (int i = 0; i < 3; ++i)
    set(
        1h, [] {}, &owner, again);
  timer::stop_all(&owner);
  EXPECT_EQ(dropped, 3);
}

TEST(Timer, DropsOfOneOwnerLookOnceAtThoseOfOthers) {
  const int mine = 0;
  const int other = 0;
  constexpr int many = 30'000;
  for (int i = 0; i < many; ++i)
    set(
        1h, [] {}, &other);
  int dropped = 0;
  for (int i = 0; i < many; ++i)
    set(
        2h, [] {}, &mine, [&] { ++dropped; });
  timer::stop_all(&mine);  // else 900 million looks
  EXPECT_EQ(dropped, many);
  timer::stop_all(&other);
}

TEST(Timer, StopOfAllMayBeCalledByAnAlarm) {
  test::counter done;
  const int owner = 0;
  set(
      1h, [] {}, &owner, [&] { done.add(); });
  set(
      0ms,
      [&] {
        timer::stop_all(&owner);
        done.add();
      },
      &owner);
  done.wait_for(2);
}

TEST(Timer, ThreadGoesWhenNothingWaitsAndComesAgain) {
  for (int round = 0; round < 2; ++round) {
    test::counter rung;
    bool was_there = false;
    set(1ms, [&] {
      was_there = has_thread();
      rung.add();
    });
    rung.wait_for(1);
    EXPECT_TRUE(was_there);
    const auto patience = clock::now() + 5s * test::slowness();
    while (has_thread() && clock::now() < patience) std::this_thread::yield();
    EXPECT_FALSE(has_thread());
  }
}

TEST(Timer, SurvivesAnEndlessRaceOfItsThreadsEndWithNewAlarms) {
  // The thread ends 100 ms after the last alarm; these come just then.
  const test::seed_scope seed;
  auto random = test::seed_scope::generator();
  std::uniform_int_distribution<int> around(99'000, 101'000);
  for (int i = 0; i < 10; ++i) {
    test::counter rung;
    set(0ms, [&] { rung.add(); });
    rung.wait_for(1);
    const auto next = clock::now() + std::chrono::microseconds(around(random));
    while (clock::now() < next) std::this_thread::yield();
    set(0ms, [&] { rung.add(); });
    rung.wait_for(2);
  }
}

TEST(Timer, EachAlarmRingsOrIsStoppedOnceWhoeverComesFirst) {
  const test::seed_scope seed;
  constexpr int threads = 4;
  const int each = 3000 / test::slowness();
  std::vector<int> owners(threads);
  std::atomic<int> rung{0};
  std::atomic<int> dropped{0};
  std::atomic<int> stopped{0};
  std::vector<std::thread> crew;
  for (int t = 0; t < threads; ++t) {
    crew.emplace_back([&, t] {
      auto random = test::seed_scope::generator(static_cast<unsigned>(t));
      std::uniform_int_distribution<int> ahead(0, 300);
      std::vector<timer::handle> mine;
      for (int i = 0; i < each; ++i) {
        mine.push_back(set(
            std::chrono::microseconds(ahead(random)), [&] { ++rung; }, &owners[static_cast<std::size_t>(t)],
            [&] { ++dropped; }));
        if (random() % 3 == 0 && timer::stop(mine[random() % mine.size()])) ++stopped;
        if (random() % 500 == 0) timer::stop_all(&owners[static_cast<std::size_t>(t)]);
      }
      timer::stop_all(&owners[static_cast<std::size_t>(t)]);
    });
  }
  for (auto& t : crew) t.join();
  EXPECT_EQ(rung + dropped + stopped, threads * each);
}

}  // namespace
}  // namespace tandem
