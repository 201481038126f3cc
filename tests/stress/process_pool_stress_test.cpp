// Everything at once, from a seed: tasks of all kinds, cancels, workers killed from outside, pools that end in every
// way. Each future resolves, and each value is right. A failing seed is printed and runs alone with
// TANDEM_STRESS_SEED.
#include "faults/tasks.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

#include <tandem/as_completed.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/this_task.hpp>
#include <tandem/wait.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct expectation {
  tandem::future<int> future;
  int value = 0;
  bool may_be_cancelled = false;
  bool dies = false;
  bool throws = false;
};

int throw_it(int x) { throw std::out_of_range(std::to_string(x)); }
int die_at_once(int code) { _exit(code); }
int sum_of(std::vector<int> xs) { return std::accumulate(xs.begin(), xs.end(), 0); }
int work(int loops) {
  volatile int sum = 0;
  for (int i = 0; i < loops; ++i) sum = sum + 1;
  return sum;
}

class Storm {
 public:
  explicit Storm(unsigned seed) : random_(seed) {}

  void run() {
    tandem::process_pool pool({.max_workers = 1 + roll(4),
                               .max_tasks_per_worker = roll(3) == 0 ? 1 + roll(20) : 0,
                               .kill_on_cancel = roll(2) == 0});
    const int steps = 200 + roll(400);
    for (int i = 0; i < steps; ++i) step(pool);
    const bool cancel_pending = roll(3) == 0;
    if (cancel_pending) {
      for (auto& e : expected_) e.may_be_cancelled = true;
    }
    if (roll(2) == 0) pool.shutdown({.wait = roll(2) == 0, .cancel_pending = cancel_pending});
    for (auto& e : expected_) check(e);
  }

 private:
  int roll(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  void step(tandem::process_pool& pool) {
    const int x = roll(1000);
    switch (roll(12)) {
      case 0:
        add({pool.submit(throw_it, x), 0, false, false, true});
        break;
      case 1:
        if (roll(4) == 0) add({pool.submit(die_at_once, 3), 0, false, true});
        break;
      case 2: {
        std::vector<int> xs(static_cast<std::size_t>(roll(60000)), 1);
        const int size = static_cast<int>(xs.size());
        add({pool.submit(sum_of, std::move(xs)), size});
        break;
      }
      case 3:
        add({pool.submit({.name = "looping", .retries = 3}, work, x * 100), x * 100});
        break;
      case 4:
        if (!expected_.empty()) {
          expectation& e = expected_[static_cast<std::size_t>(roll(static_cast<int>(expected_.size())))];
          e.future.cancel();
          e.may_be_cancelled = true;
        }
        break;
      case 5:
        if (roll(10) == 0) {
          for (const auto& row : pool.stats().per_worker) {
            if (row.pid > 0 && roll(2) == 0) kill(row.pid, SIGKILL);
          }
          killed_ = true;
        }
        break;
      case 6:
        if (roll(5) == 0) drop_one();
        break;
      default:
        add({pool.submit(tandem::test::add_one, x), x + 1});
    }
  }

  void add(expectation e) { expected_.push_back(std::move(e)); }

  void drop_one() {
    if (!expected_.empty()) expected_.pop_back();
  }

  void check(expectation& e) {
    try {
      EXPECT_EQ(e.future.get(), e.value);
      EXPECT_FALSE(e.dies || e.throws);
    } catch (const std::out_of_range&) {
      EXPECT_TRUE(e.throws);
    } catch (const tandem::cancelled_error&) {
      EXPECT_TRUE(e.may_be_cancelled);
    } catch (const tandem::worker_died_error& error) {
      // A kill from outside may hit any task; one that dies by itself always does.
      EXPECT_TRUE(e.dies || killed_) << error.what();
    }
    EXPECT_TRUE(e.future.is_ready());
  }

  std::mt19937 random_;
  std::vector<expectation> expected_;
  bool killed_ = false;
};

TEST(ProcessPoolStress, ResolvesEveryFutureInEveryStorm) {
  const char* given = std::getenv("TANDEM_STRESS_SEED");
  const unsigned first = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : 1;
  const unsigned count = given != nullptr ? 1 : 60;
  for (unsigned seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("TANDEM_STRESS_SEED=" + std::to_string(seed));
    Storm(seed).run();
    if (HasFailure()) return;
  }
}

TEST(ProcessPoolStress, TakesTasksFromManyThreads) {
  tandem::process_pool pool({.max_workers = 2});
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i)
        ASSERT_EQ(pool.submit(tandem::test::add_one, t * 10000 + i).get(), t * 10000 + i + 1);
    });
  }
  for (auto& thread : threads) thread.join();
}

// One task at a time, so that nothing else wakes who has missed its answer.
TEST(ProcessPoolStress, MissesNoAnswerThatComesWhenTheManagerGoesToSleep) {
  const tandem::test::seed_scope seed;
  auto random = tandem::test::seed_scope::generator();
  tandem::process_pool pool({.max_workers = 1});
  const int rounds = 20'000 / tandem::test::slowness();
  for (int i = 0; i < rounds; ++i) {
    auto f = pool.submit(work, static_cast<int>(random() % 3000));
    if (i % 2 == 0) f.wait();
    while (!f.is_ready()) {}
  }
}

}  // namespace
