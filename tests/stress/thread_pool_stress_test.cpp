// Random mixes of everything that can be done with a thread_pool at the same time. What must hold at the end: every
// accepted task ran or was cancelled, each once; every future is done; nothing is left. The seed is printed; set
// TANDEM_STRESS_SEED to run one again, TANDEM_STRESS_ROUNDS to run longer.
#include <tandem/thread_pool.hpp>

#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <thread>
#include <vector>

#include "support/rounds.hpp"
#include "support/seed.hpp"

namespace {

using namespace std::chrono_literals;
using random_source = std::mt19937;
using tandem::test::rounds;
using tandem::test::seed_scope;
using tandem::test::setting;

int one_of(random_source& random, int first, int last) {
  return std::uniform_int_distribution<int>(first, last)(random);
}

// What became of the tasks that the pool accepted.
struct books {
  std::atomic<int> accepted{0};
  std::atomic<int> begun{0};
  std::atomic<int> alive{0};  // callables that exist

  // A callable that counts itself.
  template <class Function>
  auto counted(Function function) {
    ++alive;
    const std::shared_ptr<books> keep(this, [](books* b) { --b->alive; });
    return [this, keep, function]() mutable {
      ++begun;
      return function();
    };
  }
};

// One random thing that a task does, which may be to submit further ones and wait for them.
int deed(tandem::thread_pool& pool, books& b, std::uint64_t with_seed, int depth) {
  random_source random(with_seed);
  const auto child = [&pool, &b, depth](std::uint64_t s) {
    return b.counted([&pool, &b, s, depth] { return deed(pool, b, s, depth - 1); });
  };
  switch (depth == 0 ? 0 : one_of(random, 0, 9)) {
    case 1: {  // wait for a child
      auto f = pool.submit(child(random()));
      ++b.accepted;
      return f.get();
    }
    case 2: {  // for several, in any order
      std::vector<tandem::future<int>> fs;
      for (int i = one_of(random, 1, 4); i > 0; --i) {
        fs.push_back(pool.submit(child(random())));
        ++b.accepted;
      }
      std::shuffle(fs.begin(), fs.end(), random);
      int sum = 0;
      for (auto& f : fs) sum += f.get();
      return sum;
    }
    case 3: {  // with a timeout
      auto f = pool.submit(child(random()));
      ++b.accepted;
      return f.wait_for(std::chrono::microseconds(one_of(random, 0, 200))) ? f.get() : 0;
    }
    case 4: {  // and forget
      pool.post([task = child(random())]() mutable {
        try {
          task();
        } catch (const std::exception&) {  // would be reported on stderr
        }
      });
      ++b.accepted;
      return 0;
    }
    case 5: {  // cancel one
      auto f = pool.submit(child(random()));
      ++b.accepted;
      return f.cancel() ? 1 : 0;
    }
    case 6: {  // block for a moment
      const tandem::this_task::blocking_region region;
      std::this_thread::sleep_for(std::chrono::microseconds(one_of(random, 0, 100)));
      return 1;
    }
    case 7:
      throw std::runtime_error("a task's own");
    default:
      return 1;
  }
}

void run_one(random_source& random) {
  const int workers = one_of(random, 1, 8);
  const int outside = one_of(random, 1, 4);
  const int each = one_of(random, 1, 150);
  const bool cancel = one_of(random, 0, 3) == 0;
  const bool racing = one_of(random, 0, 2) == 0;
  books b;
  std::mutex mutex;  // guards futures
  std::vector<tandem::future<int>> futures;
  std::atomic<int> refused{0};
  std::int64_t ran = 0;
  std::int64_t cancelled = 0;
  {
    tandem::thread_pool pool({.max_workers = workers});
    std::vector<std::thread> threads;
    for (int t = 0; t < outside; ++t) {
      threads.emplace_back([&, with_seed = random()] {
        random_source mine(with_seed);
        for (int i = 0; i < each; ++i) {
          try {
            auto f = pool.submit(b.counted([&pool, &b, s = mine()] {
              try {
                return deed(pool, b, s, 3);
              } catch (const tandem::shutdown_error&) {
                return 0;  // closed between two steps of the task
              }
            }));
            ++b.accepted;
            switch (one_of(mine, 0, 7)) {
              case 0:
                f.cancel();
                break;
              case 1:
                try {
                  f.get();
                } catch (const std::exception&) {}
                continue;
              case 2:
                continue;  // dropped
              case 3:
                std::this_thread::yield();
                break;
              default:
                break;
            }
            const std::lock_guard lock(mutex);
            futures.push_back(std::move(f));
          } catch (const tandem::shutdown_error&) {
            ++refused;
          }
        }
      });
    }
    if (!racing) {
      for (auto& t : threads) t.join();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(one_of(random, 0, 2000)));
    }
    pool.shutdown({.wait = one_of(random, 0, 1) == 0, .cancel_pending = cancel});
    pool.shutdown();
    const auto stats = pool.stats();
    EXPECT_EQ(stats.workers, 0);
    EXPECT_EQ(stats.running, 0);
    EXPECT_EQ(stats.queued, 0);
    ran = stats.finished;
    cancelled = stats.cancelled;
    if (racing) {
      for (auto& t : threads) t.join();
    }
  }
  if (!racing) {
    EXPECT_EQ(refused, 0);
  }
  EXPECT_EQ(b.begun, ran);
  EXPECT_EQ(b.accepted, ran + cancelled);
  EXPECT_EQ(b.alive, 0) << "a callable outlived its task";
  for (auto& f : futures) EXPECT_TRUE(f.is_ready());
}

TEST(ThreadPoolStress, RandomMixesResolveEveryTaskOnce) {
  const seed_scope seed;
  random_source random = seed_scope::generator();
  for (int i = 0; i < rounds(600) && !HasFailure(); ++i) {
    SCOPED_TRACE("round " + std::to_string(i));
    run_one(random);
  }
}

TEST(ThreadPoolStress, WorkersSleepAndWakeWithoutLosingATask) {
  // One task at a time, each brought after a pause of about the time that a worker takes to fall asleep. Waits by
  // spinning: a sleeping producer would come too late for the moment in question.
  const seed_scope seed;
  random_source random = seed_scope::generator();
  tandem::thread_pool pool({.max_workers = 2});
  std::atomic<int> ran{0};
  const int count = rounds(20) * 2000;
  for (int i = 0; i < count; ++i) {
    pool.post([&] { ran.fetch_add(1, std::memory_order_relaxed); });
    for (int turns = 0; ran.load(std::memory_order_relaxed) <= i; ++turns) {
      if (turns > 1000) std::this_thread::yield();
    }
    for (int spin = one_of(random, 0, 15000); spin > 0; --spin) asm volatile("");
  }
  EXPECT_EQ(ran, count);
}

TEST(ThreadPoolStress, QuickTaskBeforeSlowOnesDoesNotKeepWorkersFromStarting) {
  // The first worker takes the second task straight from the first one; the third task needs a worker of its own.
  for (int i = 0; i < rounds(400); ++i) {
    tandem::thread_pool pool({.max_workers = 2});
    std::latch both(2);
    pool.post([] {});
    pool.post([&] { both.arrive_and_wait(); });
    pool.post([&] { both.arrive_and_wait(); });
  }
}

TEST(ThreadPoolStress, ProducersInTurnsLoseNoTask) {
  const int count = rounds(4) * 1000;
  tandem::thread_pool pool({.max_workers = 4});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < count; ++i) ASSERT_EQ(pool.submit([i] { return i; }).get(), i);
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(pool.stats().finished, 4 * count);
}

// Every task of a level waits for two of the next one: with few workers, only claiming and standing in get through.
int tree(tandem::thread_pool& pool, int depth) {
  if (depth == 0) return 1;
  auto left = pool.submit([&pool, depth] { return tree(pool, depth - 1); });
  auto right = pool.submit([&pool, depth] { return tree(pool, depth - 1); });
  return left.get() + right.get();
}

TEST(ThreadPoolStress, TreesOfWaitingTasksComplete) {
  for (const int workers : {1, 2, 5}) {
    tandem::thread_pool pool({.max_workers = workers});
    for (int i = 0; i < rounds(8); ++i) {
      ASSERT_EQ(pool.submit([&] { return tree(pool, 9); }).get(), 512);
    }
  }
}

TEST(ThreadPoolStress, StopRequestsMeetTasksAtAnyMoment) {
  const seed_scope seed;
  random_source random = seed_scope::generator();
  tandem::thread_pool pool({.max_workers = 2});
  int cancelled = 0;
  int ran = 0;
  std::atomic<int> begun{0};
  const int count = rounds(2000);
  for (int round = 0; round < count; ++round) {
    std::stop_source stop;
    std::thread stopper([&, turns = one_of(random, 0, 2000)] {
      for (int i = 0; i < turns; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
      stop.request_stop();
    });
    std::vector<tandem::future<void>> fs;
    for (int i = one_of(random, 1, 5); i > 0; --i)
      fs.push_back(pool.submit({.stop_token = stop.get_token()}, [&begun] { ++begun; }));
    for (int i = one_of(random, 0, 3); i > 0; --i)  // nobody keeps these but the pool
      pool.post({.stop_token = stop.get_token()}, [] {});
    for (auto& f : fs) {
      f.wait();
      ++(f.cancelled() ? cancelled : ran);
    }
    stopper.join();
  }
  EXPECT_EQ(begun, ran);
  EXPECT_GE(cancelled + ran, count);
}

// A spare ends after 100 ms without work; what happens at that very moment must find a worker all the same.
TEST(ThreadPoolStress, FewSparesThatComeAndGoLeaveNoTaskBehind) {
  const seed_scope seed;
  random_source random = seed_scope::generator();
  tandem::thread_pool pool({.max_workers = 1, .max_spare_workers = 1});
  const auto block_while_another_runs = [&pool] {
    auto other = pool.submit([] { return 1; });
    const tandem::this_task::blocking_region region;
    while (!other.is_ready()) std::this_thread::yield();
    return other.get();
  };
  for (int round = rounds(30); round > 0; --round) {
    ASSERT_EQ(pool.submit(block_while_another_runs).get(), 1);  // a spare comes, and rests
    std::this_thread::sleep_for(100ms + std::chrono::microseconds(one_of(random, -300, 300)));
    ASSERT_EQ(pool.submit(block_while_another_runs).get(), 1);
  }
}

}  // namespace
