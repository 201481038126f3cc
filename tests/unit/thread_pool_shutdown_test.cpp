// The ends of a thread_pool: shutdown in its variants, destruction in odd places.
#include <tandem/thread_pool.hpp>

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

// A task that holds its worker until it is let go.
struct gate {
  std::atomic<int> entered{0};
  std::atomic<bool> open{false};
  void pass() {
    ++entered;
    entered.notify_all();
    open.wait(false);
  }
  void wait_until_entered() { entered.wait(0); }
  void let_go() {
    open = true;
    open.notify_all();
  }
};

TEST(ThreadPoolShutdown, RefusesSubmits) {
  tandem::thread_pool pool({.max_workers = 1});
  pool.submit([] {}).get();
  pool.shutdown();
  EXPECT_THROW((void)pool.submit([] {}), tandem::shutdown_error);
  EXPECT_THROW(pool.post([] {}), tandem::shutdown_error);
  EXPECT_EQ(pool.stats().workers, 0);
  EXPECT_EQ(pool.stats().finished, 1);
  pool.shutdown();
}

TEST(ThreadPoolShutdown, OfAnUnusedPoolReturns) {
  tandem::thread_pool pool;
  pool.shutdown();
  tandem::thread_pool other;
}

TEST(ThreadPoolShutdown, RunsWhatWaits) {
  std::atomic<int> ran{0};
  {
    tandem::thread_pool pool({.max_workers = 2});
    for (int i = 0; i < 3000; ++i) pool.post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 3000);
}

TEST(ThreadPoolShutdown, CancelsWhatWaitsIfAsked) {
  gate g;
  tandem::thread_pool pool({.max_workers = 1});
  auto running = pool.submit([&] {
    g.pass();
    return 5;
  });
  g.wait_until_entered();
  std::vector<tandem::future<void>> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(pool.submit([] {}));
  pool.shutdown({.wait = false, .cancel_pending = true});
  for (auto& f : waiting) EXPECT_TRUE(f.cancelled());
  EXPECT_EQ(pool.stats().cancelled, 100);
  EXPECT_EQ(pool.stats().queued, 0);
  g.let_go();
  EXPECT_EQ(running.get(), 5);
}

// A worker that becomes free while the waiting tasks are being cancelled must not take any of them.
TEST(ThreadPoolShutdown, TasksThatAreBeingCancelledAreNotRunMeanwhile) {
  for (int round = 0; round < 200; ++round) {
    gate first;
    std::atomic<bool> ending{false};
    std::atomic<int> ran_late{0};
    // Destroyed when its task is cancelled: then the worker comes back for more.
    auto let_go = std::shared_ptr<void>(nullptr, [&](void*) { first.let_go(); });
    {
      tandem::thread_pool pool({.max_workers = 1});
      pool.post([&] { first.pass(); });
      first.wait_until_entered();
      pool.post([keep = std::move(let_go)] {});
      for (int i = 0; i < 500; ++i) {
        pool.post([&] {
          if (ending) ++ran_late;
        });
      }
      ending = true;
      pool.shutdown({.cancel_pending = true});
    }
    ASSERT_LE(ran_late, 1) << "round " << round;  // one may have been taken before
  }
}

TEST(ThreadPoolShutdown, WithoutWaitReturnsAtOnceAndFinishesWhatWasAccepted) {
  gate g;
  std::vector<tandem::future<int>> fs;
  {
    tandem::thread_pool pool({.max_workers = 1});
    fs.push_back(pool.submit([&] {
      g.pass();
      return 0;
    }));
    for (int i = 1; i < 50; ++i) fs.push_back(pool.submit([i] { return i; }));
    g.wait_until_entered();
    pool.shutdown({.wait = false});
    EXPECT_FALSE(fs[0].is_ready());
    EXPECT_THROW((void)pool.submit([] {}), tandem::shutdown_error);
    g.let_go();
  }
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(fs[i].is_ready());
    EXPECT_EQ(fs[i].get(), i);
  }
}

TEST(ThreadPoolShutdown, StandsInForBlockedWorkersToTheEnd) {
  tandem::promise<int> promise;
  auto awaited = promise.get_future();
  gate g;
  tandem::thread_pool pool({.max_workers = 1});
  auto waiter = pool.submit([&] {
    g.pass();
    return awaited.get();
  });
  g.wait_until_entered();
  pool.post([&] { promise.set_value(4); });
  pool.shutdown({.wait = false});
  g.let_go();
  pool.shutdown();
  EXPECT_EQ(waiter.get(), 4);
}

TEST(ThreadPoolShutdown, OnAnOwnWorkerIsRefused) {
  tandem::thread_pool pool({.max_workers = 2});
  auto f = pool.submit([&] { pool.shutdown(); });
  EXPECT_THROW(f.get(), tandem::invalid_state_error);
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);  // changed nothing
  pool.submit([&] { pool.shutdown({.wait = false}); }).get();
  EXPECT_THROW((void)pool.submit([] {}), tandem::shutdown_error);
}

TEST(ThreadPoolShutdown, FromManyThreadsAtOnceReturnsInAllOfThem) {
  for (int round = 0; round < 50; ++round) {
    tandem::thread_pool pool({.max_workers = 2});
    std::atomic<int> ran{0};
    for (int i = 0; i < 100; ++i) pool.post([&] { ++ran; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        pool.shutdown();
        EXPECT_EQ(ran, 100);
        EXPECT_EQ(pool.stats().workers, 0);
      });
    }
    for (auto& t : threads) t.join();
  }
}

TEST(ThreadPoolShutdown, RacingSubmitsAreRefusedOrResolved) {
  for (int round = 0; round < 40; ++round) {
    tandem::thread_pool pool({.max_workers = 2});
    std::atomic<int> accepted{0};
    std::atomic<int> ran{0};
    std::vector<std::thread> threads;
    std::atomic<bool> go{false};
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        go.wait(false);
        for (;;) {
          try {
            pool.post([&] { ++ran; });
            ++accepted;
          } catch (const tandem::shutdown_error&) {
            return;
          }
        }
      });
    }
    go = true;
    go.notify_all();
    while (round % 2 == 0 && accepted < 10) std::this_thread::yield();
    pool.shutdown();
    const int at_return = ran;
    for (auto& t : threads) t.join();
    EXPECT_EQ(ran, at_return) << "a task ran behind shutdown()";
    EXPECT_EQ(ran, accepted);
  }
}

TEST(ThreadPoolShutdown, DestructionOnAnOwnWorkerDoesNotHang) {
  std::atomic<int> ran{0};
  std::weak_ptr<int> alive;
  {
    auto token = std::make_shared<int>(1);
    alive = token;
    auto pool = std::make_shared<tandem::thread_pool>(tandem::thread_pool_options{.max_workers = 2});
    gate g;
    auto f = pool->submit([pool, &g, token]() mutable {
      g.pass();
      pool.reset();  // the last handle
    });
    for (int i = 0; i < 100; ++i) pool->post([&] { ++ran; });
    g.wait_until_entered();
    pool.reset();
    g.let_go();
    f.get();
  }
  while (ran != 100) std::this_thread::yield();
  while (!alive.expired()) std::this_thread::yield();
}

TEST(ThreadPoolShutdown, TasksAreDestroyedThoughTheirFuturesLive) {
  std::optional<tandem::future<void>> kept;
  auto token = std::make_shared<int>(1);
  {
    tandem::thread_pool pool({.max_workers = 1});
    kept = pool.submit([token] {});
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
