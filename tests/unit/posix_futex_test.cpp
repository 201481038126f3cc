// posix::futex_wait and futex_wake between threads. Between processes: posix_process_test.cpp.
#include "posix/futex.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

namespace {

using namespace std::chrono_literals;
using namespace tandem::posix;

TEST(Futex, DoesNotSleepWhenTheValueDiffers) {
  const std::atomic<std::uint32_t> word{1};
  EXPECT_EQ(futex_wait(word, 0, scope::process_private), wait_status::value_changed);
  EXPECT_EQ(futex_wait(word, 0, scope::process_shared), wait_status::value_changed);
  EXPECT_EQ(futex_wait(word, 0, scope::process_private, deadline_after(1h)), wait_status::value_changed);
}

TEST(Futex, TimesOutAtTheDeadlineAndNotBefore) {
  const std::atomic<std::uint32_t> word{0};
  const steady_time deadline = deadline_after(20ms);
  wait_status status{};
  do {
    status = futex_wait(word, 0, scope::process_private, deadline);
  } while (status == wait_status::interrupted);
  EXPECT_EQ(status, wait_status::timed_out);
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(Futex, PastDeadlineTimesOutAtOnce) {
  const std::atomic<std::uint32_t> word{0};
  EXPECT_EQ(futex_wait(word, 0, scope::process_private, steady_time::min()), wait_status::timed_out);
  EXPECT_EQ(futex_wait(word, 0, scope::process_shared, deadline_after(-1s)), wait_status::timed_out);
}

TEST(Futex, WakeWithoutSleepersWakesNobody) {
  const std::atomic<std::uint32_t> word{0};
  EXPECT_EQ(futex_wake(word, wake_all, scope::process_private), 0);
}

TEST(Futex, WakeOfAnAddressThatIsGoneIsIgnored) {
  errno = EAGAIN;
  const std::atomic<std::uint32_t>* const nowhere = nullptr;
  EXPECT_EQ(futex_wake(nowhere, 1, scope::process_shared), 0);
  EXPECT_EQ(errno, EAGAIN);
}

/// Repeats a hand-over many times: a single missed wake-up hangs the test.
void play_ping_pong(scope who, steady_time deadline) {
  std::atomic<std::uint32_t> turn{0};
  constexpr std::uint32_t rounds = 2000;
  const auto play = [&](std::uint32_t parity) {
    for (;;) {
      const std::uint32_t now = turn.load();
      if (now >= rounds) return;
      if (now % 2 == parity) {
        turn.store(now + 1);
        futex_wake(turn, 1, who);
      } else {
        futex_wait(turn, now, who, deadline);
      }
    }
  };
  std::thread other([&] { play(1); });
  play(0);
  other.join();
  EXPECT_EQ(turn.load(), rounds);
}

TEST(Futex, PrivateWakeUpsAreNeverMissed) { play_ping_pong(scope::process_private, no_deadline); }
TEST(Futex, SharedWakeUpsAreNeverMissed) { play_ping_pong(scope::process_shared, no_deadline); }
TEST(Futex, WakeUpsBeforeADeadlineAreNeverMissed) {
  play_ping_pong(scope::process_private, deadline_after(1h));
}

TEST(Futex, WakeAllWakesAll) {
  std::atomic<std::uint32_t> word{0};
  std::vector<std::thread> sleepers;
  sleepers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    sleepers.emplace_back([&] {
      while (word.load() == 0) futex_wait(word, 0, scope::process_private);
    });
  }
  word.store(1);
  futex_wake(word, wake_all, scope::process_private);
  for (std::thread& sleeper : sleepers) sleeper.join();
}

std::atomic<int> handled{0};
static_assert(std::atomic<int>::is_always_lock_free, "touched by a signal handler");

TEST(Futex, SignalHandlerEndsTheWait) {
  struct sigaction action {};
  struct sigaction previous {};
  action.sa_handler = [](int) { ++handled; };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &previous), 0);
  std::atomic<bool> stop{false};
  const std::atomic<std::uint32_t> word{0};
  wait_status status = wait_status::woken;
  std::thread sleeper([&] {
    do {
      status = futex_wait(word, 0, scope::process_private);
    } while (status != wait_status::interrupted);
    stop = true;
  });
  // Until one arrives while it sleeps: how many that takes is up to the scheduler.
  while (!stop) {
    ::pthread_kill(sleeper.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  sleeper.join();
  EXPECT_EQ(status, wait_status::interrupted);
  EXPECT_GT(handled, 0);
  ::sigaction(SIGUSR1, &previous, nullptr);
}

}  // namespace
