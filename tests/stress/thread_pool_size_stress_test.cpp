// Workers that come and go all the time - idle ones end, the pool is resized, tasks block - against submits from many
// threads. What must hold: every task runs once, each initializer has its finalizer, and nothing hangs. The seed is
// printed; TANDEM_STRESS_SEED runs one again, TANDEM_STRESS_ROUNDS runs longer.
#include <tandem/thread_pool.hpp>

#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "support/rounds.hpp"
#include "support/seed.hpp"
#include "support/use_all.hpp"

namespace {

using tandem::test::rounds;
using tandem::test::seed_scope;
using random_source = std::mt19937;

int one_of(random_source& random, int first, int last) {
  return std::uniform_int_distribution<int>(first, last)(random);
}

int nested(tandem::thread_pool& pool, int depth) {
  return depth == 0 ? 0 : 1 + pool.submit([&pool, depth] { return nested(pool, depth - 1); }).get();
}

void run_one(random_source& random) {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  std::atomic<int> ran{0};
  int accepted = 0;
  const bool idle = one_of(random, 0, 2) != 0;
  const bool hooks = one_of(random, 0, 1) != 0;
  tandem::thread_pool_options options{.max_workers = one_of(random, 1, 6),
                                      .max_spare_workers = one_of(random, 0, 1) * 20};
  if (hooks) {
    options.initializer = [&] { ++begun; };
    options.finalizer = [&] { ++ended; };
  }
  const bool may_block = options.max_spare_workers != 0;
  if (idle) options.idle_timeout = std::chrono::microseconds(one_of(random, 1, 300));
  {
    tandem::thread_pool pool(options);
    std::atomic<bool> stop{false};
    std::thread sizer([&, with = random()] {
      random_source mine(with);
      while (!stop) {
        pool.resize(one_of(mine, 1, 8));
        std::this_thread::sleep_for(std::chrono::microseconds(one_of(mine, 0, 300)));
      }
    });
    std::vector<std::thread> producers;
    std::atomic<int> total{0};
    for (int p = 0; p < 2; ++p) {
      producers.emplace_back([&, with = random()] {
        random_source mine(with);
        for (int burst = 0; burst < 20; ++burst) {
          std::vector<tandem::future<int>> fs;
          for (int i = one_of(mine, 1, 60); i > 0; --i) {
            fs.push_back(pool.submit([&, what = one_of(mine, 0, 20)] {
              ++ran;
              if (what == 0 && may_block) {
                const tandem::this_task::blocking_region region;
                std::this_thread::yield();
              }
              return what == 1 && may_block ? nested(pool, 3) - 2 : 1;
            }));
          }
          total += static_cast<int>(fs.size());
          for (auto& f : fs) EXPECT_EQ(f.get(), 1);
          if (one_of(mine, 0, 3) == 0)
            std::this_thread::sleep_for(std::chrono::microseconds(one_of(mine, 0, 500)));
        }
      });
    }
    for (auto& t : producers) t.join();
    accepted = total;
    stop = true;
    sizer.join();
    if (one_of(random, 0, 1) == 0) pool.shutdown({.wait = false});
  }
  EXPECT_EQ(ran, accepted);
  EXPECT_EQ(begun, ended);
}

TEST(ThreadPoolSizeStress, WorkersThatComeAndGoLoseNothing) {
  const seed_scope seed;
  random_source random = seed_scope::generator();
  for (int i = rounds(30); i > 0 && !testing::Test::HasFailure(); --i) run_one(random);
}

// Workers that have just done with their last task are about to lie down when the pool shrinks: nobody who is awake may be left to
// see that there are too many. Many pools at once, for who goes stays 100 ms in case he is needed.
TEST(ThreadPoolSizeStress, NobodyWhoIsTooManyStays) {
  const seed_scope seed;
  random_source random = seed_scope::generator(2);
  for (int i = rounds(4); i > 0; --i) {
    std::vector<std::unique_ptr<tandem::thread_pool>> pools;
    for (int k = 0; k < 200; ++k) {
      pools.push_back(std::make_unique<tandem::thread_pool>(tandem::thread_pool_options{.max_workers = 3}));
      tandem::test::use_all(*pools.back());
      for (int pause = one_of(random, 0, 2000); pause > 0; --pause)
        std::atomic_signal_fence(std::memory_order_seq_cst);
      pools.back()->resize(1);
    }
    for (const auto& pool : pools) {
      while (pool->stats().workers > 1) std::this_thread::yield();
    }
  }
}

// The end, at any moment of a worker's idle end or of a resize.
TEST(ThreadPoolSizeStress, ShutdownAtAnyMomentLosesNothing) {
  const seed_scope seed;
  random_source random = seed_scope::generator(1);
  for (int i = rounds(400); i > 0 && !testing::Test::HasFailure(); --i) {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    std::atomic<int> ran{0};
    std::atomic<int> accepted{0};
    {
      tandem::thread_pool pool({.max_workers = one_of(random, 1, 4),
                                .initializer = [&] { ++begun; },
                                .finalizer = [&] { ++ended; },
                                .idle_timeout = std::chrono::microseconds(one_of(random, 1, 100))});
      std::thread other([&, with = random()] {
        random_source mine(with);
        try {
          for (int k = 0; k < 200; ++k) {
            pool.post([&] { ++ran; });
            ++accepted;
            if (one_of(mine, 0, 9) == 0) pool.resize(one_of(mine, 1, 5));
            if (one_of(mine, 0, 9) == 0)
              std::this_thread::sleep_for(std::chrono::microseconds(one_of(mine, 0, 150)));
          }
        } catch (const tandem::shutdown_error&) {}
      });
      std::this_thread::sleep_for(std::chrono::microseconds(one_of(random, 0, 1500)));
      pool.shutdown();
      other.join();
      EXPECT_EQ(pool.stats().workers, 0);
    }
    EXPECT_EQ(ran, accepted);
    EXPECT_EQ(begun, ended);
  }
}

}  // namespace
