// Everything that can be done with a pool and its futures, by several threads at once, from a seed (mix/). What must hold
// whoever wins: every future is resolved once, with an outcome that it may have and the right value; nobody is interrupted
// for another one's sake; and nothing is alive when the pool is gone. One program per backend.
//
// TANDEM_MIX_SECONDS runs it for so long (default 1), TANDEM_MIX_WORKERS is the most that a pool may have (default 4).
// Each round has a seed of its own, the next number: a failure names it, and TANDEM_STRESS_SEED=<n> begins with that
// round. For a hang, the seed is told once a second.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stress/mix/driver.hpp"
#include "support/rounds.hpp"
#include "support/seed.hpp"

#ifdef __SANITIZE_THREAD__
// Continuations share the exception of what they follow. Who lets go of it last deletes it: that is counted inside of
// libstdc++, where ThreadSanitizer does not see that all others have read it before.
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::logic_error::~logic_error\nrace:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

namespace tandem::mix {
namespace {

using namespace std::chrono_literals;

void check_pool_that_is_shut_down(const pool_type& pool, const round& facts) {
  const executor_stats s = pool.stats();
  EXPECT_EQ(s.queued, 0);
  EXPECT_EQ(s.running, 0);
  EXPECT_EQ(s.workers, 0);
  EXPECT_EQ(facts.set_up, facts.cleaned_up);
  EXPECT_LE(facts.reported, facts.failing_posts);
  if (!facts.cancels_pending) {
    EXPECT_EQ(facts.reported, facts.failing_posts);
  }
}

void run_round(unsigned seed, int most_workers) {
  const auto generator = [seed](unsigned i) {
    std::seed_seq seeds{seed, i};
    return std::mt19937(seeds);
  };
  std::mt19937 random = generator(0);
  {
    round facts(random, most_workers);
    SCOPED_TRACE("again with TANDEM_STRESS_SEED=" + std::to_string(seed) + ": " + facts.describe());
    const int steps = 10 + roll(random, 120);
    std::deque<driver> drivers;
    {
      pool_type pool(facts.options());
      const int count = 1 + roll(random, 3);
      for (int i = 1; i <= count; ++i) drivers.emplace_back(pool, facts, generator(static_cast<unsigned>(i)));
      std::vector<std::thread> threads;
      for (driver& d : drivers) threads.emplace_back([&d, steps] { d.run(steps); });
      const auto join = [&] {
        for (auto& t : threads) t.join();
      };
      if (!facts.racing) join();
      for (int i = facts.racing ? roll(random, 300) : 0; i > 0; --i) std::this_thread::yield();
      facts.over = true;
      pool.shutdown({.wait = roll(random, 2) == 0, .cancel_pending = facts.cancels_pending});
      if (facts.racing) join();
      pool.shutdown();
      check_pool_that_is_shut_down(pool, facts);
    }
    for (driver& d : drivers) d.check_all();
  }
  EXPECT_EQ(strays, 0);
  // The timer's thread may be the last to look at a task that had a time limit.
  for (int alive = payload::alive; alive != 0; alive = payload::alive) payload::alive.wait(alive);
}

TEST(MixStress, EveryFutureIsResolvedOnceAndNothingLivesOn) {
  using clock = std::chrono::steady_clock;
  const std::chrono::seconds duration(test::setting("TANDEM_MIX_SECONDS", 1));
  const int most_workers = static_cast<int>(test::setting("TANDEM_MIX_WORKERS", 4));
  at_home = true;
  tandem::test::set_test_timeout(duration + 60s);
  unsigned seed = tandem::test::stress_seed();
  const auto end = clock::now() + duration;
  auto next_report = clock::now();
  int rounds = 0;
  do {
    if (clock::now() >= next_report) {
      std::fprintf(stderr, "TANDEM_STRESS_SEED=%u\n", seed);
      next_report += 1s;
    }
    run_round(seed++, most_workers);
    ++rounds;
  } while (!HasFailure() && clock::now() < end);
  RecordProperty("rounds", rounds);
  std::fprintf(stderr, "%d rounds\n", rounds);
}

}  // namespace
}  // namespace tandem::mix
