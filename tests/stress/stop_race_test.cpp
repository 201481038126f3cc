// Stop requests and time limits against the end of the task that they mean, many times over with random timing.
#include <tandem/detail/context.hpp>
#include <tandem/future.hpp>
#include <tandem/this_task.hpp>
#include <tandem/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/manual_executor.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace std::chrono_literals;
using tandem::test::manual_executor;
using tandem::test::seed_scope;

int rounds(int in_normal_builds) { return in_normal_builds / tandem::test::slowness(); }

// As long as it takes the other thread to come: some rounds a few instructions, some a microsecond or two.
void dawdle(std::mt19937& random) {
  const auto most = random() % 2 == 0 ? 64U : 8192U;
  for (auto n = random() % most; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
}

// Two threads start each round together; the main thread prepares and checks.
template <class Prepare, class One, class Other, class Check>
void race(int rounds, Prepare prepare, One one, Other other, Check check) {
  std::atomic<int> round{-1};
  std::atomic<int> finished{0};
  std::thread second([&] {
    for (int r = 0; r < rounds; ++r) {
      for (int spins = 0; round.load() < r; ++spins) {
        if (spins > 200) std::this_thread::yield();
      }
      other();
      finished.store(r + 1);
    }
  });
  for (int r = 0; r < rounds; ++r) {
    prepare();
    round.store(r);
    one();
    while (finished.load() <= r) std::this_thread::yield();
    check();
  }
  second.join();
}

TEST(StopRace, TokenIsToldOfACancelWhoeverComesFirst) {
  const seed_scope seed;
  auto r1 = seed_scope::generator(1);
  auto r2 = seed_scope::generator(2);
  manual_executor pool;
  std::stop_token token;
  tandem::future<void> f;
  tandem::detail::core_ptr<tandem::detail::core> task;
  race(
      rounds(10'000),
      [&] {
        f = pool.submit([&] {
          dawdle(r1);
          token = tandem::this_task::stop_token();
          while (!tandem::this_task::stop_requested()) std::this_thread::yield();
        });
        task = pool.start_one();
      },
      [&] { tandem::detail::execute_in_context(*task); },
      [&] {
        dawdle(r2);
        EXPECT_FALSE(f.cancel());
      },
      [&] {
        // cancel() has returned, so the request must be there.
        ASSERT_TRUE(token.stop_requested());
        task = {};
      });
}

TEST(StopRace, TimeLimitAndEndGiveOneOutcome) {
  const seed_scope seed;
  auto r1 = seed_scope::generator(1);
  auto r2 = seed_scope::generator(2);
  manual_executor pool;
  tandem::future<std::shared_ptr<int>> f;
  tandem::detail::core_ptr<tandem::detail::core> task;
  const auto payload = std::make_shared<int>(7);
  const auto late = std::make_exception_ptr(tandem::timeout_error("late"));
  std::atomic<int> called{0};
  // Most rounds are races; some are decided beforehand, so that both outcomes are met on any machine.
  enum class first { any, end, limit } who = first::any;
  std::atomic<int> there{0};
  std::atomic<bool> is_over{false};
  const auto meet = [&] {
    ++there;
    while (there < 2) std::this_thread::yield();
  };
  bool expired = false;
  int expiries = 0;
  int values = 0;
  race(
      rounds(10'000),
      [&] {
        called = 0;
        there = 0;
        is_over = false;
        who = r2() % 8 == 0 ? first::end : r2() % 8 == 0 ? first::limit : first::any;
        f = pool.submit([&, payload] {
          meet();
          dawdle(r1);
          while (who == first::limit && !is_over) std::this_thread::yield();
          return payload;
        });
        f.on_done([&] { ++called; });
        task = pool.start_one();
        task->set_contested();
      },
      [&] { tandem::detail::execute_in_context(*task); },
      [&] {
        meet();
        dawdle(r2);
        while (who == first::end && !task->done()) std::this_thread::yield();
        expired = task->expire(late);
        is_over = true;
      },
      [&] {
        ASSERT_TRUE(f.is_ready());
        ASSERT_EQ(called, 1);
        ASSERT_EQ(f.exception() != nullptr, expired);
        ++(expired ? expiries : values);
        ASSERT_EQ(payload.use_count(), expired ? 1 : 2) << "a result that came too late is destroyed";
        ASSERT_TRUE(expired || *f.get() == 7);
        task = {};
        f = {};
        ASSERT_EQ(payload.use_count(), 1);
      });
  EXPECT_GT(expiries, 0);
  EXPECT_GT(values, 0);
}

TEST(StopRace, TimeLimitAndCancelMeetAsTheyLike) {
  const seed_scope seed;
  tandem::thread_pool pool({.max_workers = 2});
  auto random = seed_scope::generator();
  for (int i = 0; i < rounds(500); ++i) {
    std::stop_source stop;
    auto f = pool.submit(
        {.timeout = std::chrono::microseconds(1 + random() % 100), .stop_token = stop.get_token()},
        [](std::stop_token token) {
          while (!token.stop_requested()) std::this_thread::yield();
        });
    if (random() % 2 == 0) f.cancel();
    if (random() % 2 == 0) stop.request_stop();
    f.wait();
    ASSERT_TRUE(f.cancelled() || f.exception() == nullptr || f.state() == tandem::future_state::finished);
  }
}

}  // namespace
