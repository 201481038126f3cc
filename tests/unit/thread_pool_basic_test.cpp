// What a thread_pool promises of its own, beyond the contract of every backend: workers that come lazily, spares, names,
// set-up and tear-down.
#include <tandem/thread_pool.hpp>

#include <tandem/as_completed.hpp>
#include <tandem/error.hpp>
#include <tandem/this_task.hpp>
#include <tandem/wait.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "posix/affinity.hpp"
#include "posix/stack.hpp"
#include "support/processes.hpp"

namespace {

using namespace std::chrono_literals;

template <class Condition>
bool becomes_true(Condition condition, std::chrono::seconds limit = 20s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

TEST(ThreadPool, RunsATask) {
  tandem::thread_pool pool({.max_workers = 2});
  EXPECT_EQ(pool.submit([](int a, int b) { return a + b; }, 3, 4).get(), 7);
}

TEST(ThreadPool, RunsManyTasks) {
  tandem::thread_pool pool({.max_workers = 2});
  std::vector<tandem::future<int>> fs;
  for (int i = 0; i < 20000; ++i) fs.push_back(pool.submit([i] { return i; }));
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(fs[i].get(), i);
}

TEST(ThreadPool, StartsInOrderOfSubmissionWithOneWorker) {
  tandem::thread_pool pool({.max_workers = 1});
  std::vector<int> order;
  for (int i = 0; i < 5000; ++i) pool.post([&order, i] { order.push_back(i); });
  pool.shutdown();
  std::vector<int> expected(5000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST(ThreadPool, SequentialTasksUseOneWorker) {
  for (int round = 0; round < 200; ++round) {
    tandem::thread_pool pool({.max_workers = 4});
    for (int i = 0; i < 3; ++i) ASSERT_EQ(pool.submit([i] { return i; }).get(), i);
    ASSERT_EQ(pool.stats().workers, 1);
  }
}

TEST(ThreadPool, BlockedTasksUseAllWorkersAndNoMore) {
  constexpr int n = 5;
  tandem::thread_pool pool({.max_workers = n});
  std::atomic<bool> go{false};
  std::atomic<int> running{0};
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 15 * n; ++i) {
    fs.push_back(pool.submit([&] {
      ++running;
      go.wait(false);
      --running;
    }));
  }
  EXPECT_TRUE(becomes_true([&] { return running == n; }));
  EXPECT_EQ(pool.stats().workers, n);
  EXPECT_EQ(pool.stats().running, n);
  EXPECT_EQ(pool.stats().queued, 14 * n);
  go = true;
  go.notify_all();
  for (auto& f : fs) f.get();
  EXPECT_EQ(pool.stats().workers, n);
  EXPECT_EQ(pool.stats().finished, 15 * n);
  EXPECT_EQ(pool.stats().queued, 0);
}

TEST(ThreadPool, TwoWorkersRunTwoTasksAtOnce) {
  tandem::thread_pool pool({.max_workers = 2});
  for (int i = 0; i < 500; ++i) {
    std::latch both(2);
    auto a = pool.submit([&] { both.arrive_and_wait(); });
    auto b = pool.submit([&] { both.arrive_and_wait(); });
    a.get();
    b.get();
  }
  EXPECT_EQ(pool.stats().workers, 2);
}

TEST(ThreadPool, WaitingTaskOfASingleWorkerIsStoodInFor) {
  tandem::thread_pool pool({.max_workers = 1});
  for (int i = 0; i < 50; ++i) {
    tandem::promise<int> promise;
    auto awaited = promise.get_future();
    auto waiter = pool.submit([&] { return awaited.get(); });
    auto setter = pool.submit([&] { promise.set_value(9); });
    EXPECT_EQ(waiter.get(), 9);
    setter.get();
  }
}

TEST(ThreadPool, WorkThatArrivesWhileAllAreBlockedRuns) {
  tandem::thread_pool pool({.max_workers = 1});
  tandem::promise<int> promise;
  auto awaited = promise.get_future();
  std::atomic<bool> started{false};
  auto waiter = pool.submit([&] {
    started = true;
    started.notify_all();
    return awaited.get();
  });
  started.wait(false);
  std::this_thread::sleep_for(20ms);  // most likely it is blocked by now; right in any case
  pool.submit([&] { promise.set_value(3); }).get();
  EXPECT_EQ(waiter.get(), 3);
}

int nested(tandem::thread_pool& pool, int depth) {
  if (depth == 0) return 0;
  return 1 + pool.submit([&pool, depth] { return nested(pool, depth - 1); }).get();
}

TEST(ThreadPool, NestedSubmitsCompleteOnOneWorker) {
  tandem::thread_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit([&] { return nested(pool, 300); }).get(), 300);
}

TEST(ThreadPool, TasksWaitForTasksDeeperThanAStack) {
  // A frame of each level is some hundred bytes; this is several times the small stack.
  tandem::thread_pool pool({.max_workers = 1, .stack_size = 256 * 1024});
  EXPECT_EQ(pool.submit([&] { return nested(pool, 2000); }).get(), 2000);
}

TEST(ThreadPool, SparesGoAgain) {
  tandem::thread_pool pool({.max_workers = 2});
  std::atomic<int> blocked{0};
  std::atomic<bool> go{false};
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 6; ++i) {
    fs.push_back(pool.submit([&] {
      const tandem::this_task::blocking_region region;
      ++blocked;
      go.wait(false);
    }));
  }
  EXPECT_TRUE(becomes_true([&] { return blocked == 6; }));
  EXPECT_GE(pool.stats().workers, 6);
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  go = true;
  go.notify_all();
  for (auto& f : fs) f.get();
  EXPECT_TRUE(becomes_true([&] { return pool.stats().workers <= 2; }));
  EXPECT_EQ(pool.submit([] { return 2; }).get(), 2);
}

TEST(ThreadPool, NoMoreSparesThanAllowed) {
  tandem::thread_pool pool({.max_workers = 1, .max_spare_workers = 2});
  std::atomic<int> blocked{0};
  std::atomic<bool> go{false};
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 6; ++i) {
    fs.push_back(pool.submit([&] {
      const tandem::this_task::blocking_region region;
      ++blocked;
      go.wait(false);
    }));
  }
  EXPECT_TRUE(becomes_true([&] { return blocked == 3; }));
  std::this_thread::sleep_for(10ms);
  EXPECT_EQ(blocked, 3);
  EXPECT_EQ(pool.stats().workers, 3);
  go = true;
  go.notify_all();
  for (auto& f : fs) f.get();
}

TEST(ThreadPool, WorkersAreNamedForTheSystem) {
  tandem::thread_pool pool({.max_workers = 2, .name_prefix = "a-rather-long-prefix"});
  std::latch both(2);
  auto f = pool.submit([&] { both.arrive_and_wait(); });
  auto g = pool.submit([&] { both.arrive_and_wait(); });
  f.get();
  g.get();
  std::set<std::string> names;
  for (const auto& [id, name] : tandem::test::threads()) names.insert(name);
  EXPECT_EQ(names.count("a-rather-long-0"), 1u);
  EXPECT_EQ(names.count("a-rather-long-1"), 1u);
}

TEST(ThreadPool, StatsNameTheTasksThatRun) {
  tandem::thread_pool pool({.max_workers = 1});
  std::atomic<bool> go{false};
  std::atomic<bool> started{false};
  auto f = pool.submit({.name = "page 7"}, [&] {
    started = true;
    started.notify_all();
    go.wait(false);
  });
  started.wait(false);
  const auto stats = pool.stats();
  ASSERT_EQ(stats.per_worker.size(), 1u);
  EXPECT_EQ(stats.per_worker[0].task, "page 7");
  EXPECT_EQ(stats.per_worker[0].tasks_done, 0);
  EXPECT_EQ(tandem::test::threads().count(stats.per_worker[0].pid), 1u);
  EXPECT_EQ(stats.idle, 0);
  go = true;
  go.notify_all();
  f.get();
  EXPECT_EQ(pool.stats().per_worker[0].tasks_done, 1);
  EXPECT_TRUE(becomes_true([&] { return pool.stats().per_worker[0].task.empty(); }));
}

TEST(ThreadPool, InitializerAndFinalizerRunOncePerWorker) {
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  {
    tandem::thread_pool pool(
        {.max_workers = 3, .initializer = [&] { ++begun; }, .finalizer = [&] { ++ended; }});
    std::latch all(3);
    std::vector<tandem::future<void>> fs;
    for (int i = 0; i < 3; ++i) fs.push_back(pool.submit([&] { all.arrive_and_wait(); }));
    for (auto& f : fs) f.get();
    EXPECT_EQ(begun, 3);
    EXPECT_EQ(ended, 0);
  }
  EXPECT_EQ(begun, 3);
  EXPECT_EQ(ended, 3);
}

TEST(ThreadPool, SlowInitializersRunSideBySide) {
  std::latch all(3);
  tandem::thread_pool pool({.max_workers = 3, .initializer = [&] { all.arrive_and_wait(); }});
  std::vector<tandem::future<int>> fs;
  for (int i = 0; i < 3; ++i) fs.push_back(pool.submit([] { return 1; }));
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

TEST(ThreadPool, ThrowingInitializerBreaksThePool) {
  tandem::thread_pool pool(
      {.max_workers = 2, .initializer = [] { throw std::runtime_error("no database"); }});
  std::vector<tandem::future<void>> fs;
  try {
    for (int i = 0; i < 100; ++i) fs.push_back(pool.submit([] {}));
  } catch (const tandem::broken_pool_error&) {}
  for (auto& f : fs) EXPECT_THROW(f.get(), tandem::broken_pool_error);
  try {
    pool.submit([] {}).get();
    FAIL() << "submit on a broken pool";
  } catch (const tandem::broken_pool_error& e) {
    EXPECT_NE(std::string(e.what()).find("no database"), std::string::npos) << e.what();
  }
}

// The context switches of the workers of pools with the usual name.
std::string activity_of_workers() {
  std::string all;
  for (const auto& [id, name] : tandem::test::threads()) {
    if (name.rfind("tandem-", 0) != 0) continue;
    const std::string status = tandem::test::slurp("/proc/self/task/" + std::to_string(id) + "/status");
    all += name + " " + status.substr(std::min(status.find("voluntary_ctxt"), status.size()));
  }
  return all;
}

// One of the two ends only after the wait has returned: to run it in the waiter's place would be to wait for ever.
TEST(ThreadPool, WaitForTheFirstOnAWorkerDoesNotRunTheOthersInItsPlace) {
  tandem::thread_pool pool({.max_workers = 1});
  const auto first = [&pool](auto wait_for_one) {
    return pool
        .submit([&pool, wait_for_one] {
          tandem::promise<int> go;
          auto gone = go.get_future().share();
          std::vector<tandem::future<int>> fs;
          fs.push_back(pool.submit([gone] { return gone.get(); }));
          fs.push_back(pool.submit([] { return 1; }));
          const auto which = wait_for_one(fs);
          go.set_value(2);
          return which;
        })
        .get();
  };
  EXPECT_EQ(first([](auto& fs) { return wait(fs, tandem::return_when::first_completed).done; }),
            std::vector<std::size_t>{1});
  EXPECT_EQ(first([](auto& fs) {
              for (auto& f : tandem::as_completed(fs)) return f.get();
              return 0;
            }),
            1);
}

TEST(ThreadPool, WaitForTheFirstOnAWorkerWithoutSparesRunsOne) {
  tandem::thread_pool pool({.max_workers = 1, .max_spare_workers = 0});
  const auto done = pool.submit([&] {
    std::vector<tandem::future<int>> fs;
    for (int i = 0; i < 3; ++i) fs.push_back(pool.submit([i] { return i; }));
    return wait(fs, tandem::return_when::first_completed).done.size();
  });
  EXPECT_GE(done.wait_for(60s), true);
}

// A worker that waits for another pool to end waits for that pool's tasks, which may need it.
TEST(ThreadPool, StandsInForAWorkerThatDestroysAnotherPool) {
  tandem::thread_pool outer({.max_workers = 1});
  const int got = outer
                      .submit([&] {
                        int result = 0;
                        {
                          tandem::thread_pool inner({.max_workers = 1});
                          inner.post([&] { result = outer.submit([] { return 7; }).get(); });
                        }
                        return result;
                      })
                      .get();
  EXPECT_EQ(got, 7);
}

TEST(ThreadPool, IdleWorkersDoNotRun) {
  tandem::thread_pool pool({.max_workers = 4});
  std::latch all(4);
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 4; ++i) fs.push_back(pool.submit([&] { all.arrive_and_wait(); }));
  for (auto& f : fs) f.get();
  // They fall asleep: when, nobody tells.
  std::string before = activity_of_workers();
  for (;;) {
    std::this_thread::sleep_for(50ms);
    std::string now = activity_of_workers();
    if (now == before) break;
    before = std::move(now);
  }
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(activity_of_workers(), before);
  EXPECT_NE(before.find("tandem-3"), std::string::npos);
}

TEST(ThreadPool, UsesTheStackThatItIsTold) {
  constexpr std::size_t size = std::size_t{17} << 20;
  tandem::thread_pool pool({.max_workers = 1, .stack_size = size});
  const std::size_t got = pool.submit([] { return tandem::posix::current_stack().size(); }).get();
  EXPECT_GE(got, size);
  EXPECT_LT(got, size + (std::size_t{2} << 20));  // a sanitizer adds its own
}

TEST(ThreadPool, KeepsItsWorkersOnTheCpusThatItIsTold) {
  const std::vector<int> usable = tandem::posix::thread_affinity();
  tandem::thread_pool pool({.affinity = {usable.back(), usable.back()}});
  EXPECT_EQ(pool.max_workers(), 1);
  EXPECT_EQ(pool.submit([] { return tandem::posix::thread_affinity(); }).get(),
            std::vector<int>{usable.back()});
}

TEST(ThreadPool, RefusesWhatCannotBe) {
  const auto message = [](tandem::thread_pool_options options) {
    try {
      tandem::thread_pool pool(options);
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(message({.max_workers = -3}).find("max_workers is -3"), std::string::npos);
  EXPECT_NE(message({.max_spare_workers = -1}).find("max_spare_workers is -1"), std::string::npos);
  EXPECT_NE(message({.queue_capacity = -1}).find("queue_capacity is -1"), std::string::npos);
  EXPECT_NE(message({.idle_timeout = 0s}).find("idle_timeout is 0 or negative"), std::string::npos);
  EXPECT_NE(message({.idle_timeout = -1s}).find("idle_timeout is 0 or negative"), std::string::npos);
  EXPECT_NE(message({.affinity = {0, 70000}}).find("affinity is 70000"), std::string::npos);
  EXPECT_NE(message({.affinity = {-1}}).find("affinity is -1"), std::string::npos);
  EXPECT_NE(message({.max_workers = 1 << 20}).find("max_workers is 1048576"), std::string::npos);
}

}  // namespace
