// thread_pool_options::idle_timeout: workers that sleep for too long end, and come again.
#include <tandem/thread_pool.hpp>

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/gate.hpp"
#include "support/processes.hpp"
#include "support/use_all.hpp"

namespace {

using namespace std::chrono_literals;
using tandem::test::counter;
using tandem::test::gate;
using tandem::test::use_all;

int threads_called(const std::string& prefix) {
  const auto threads = tandem::test::threads();
  return static_cast<int>(std::count_if(threads.begin(), threads.end(),
                                        [&](const auto& t) { return t.second.rfind(prefix, 0) == 0; }));
}

// For what comes a moment after the last thing that can be waited for: the end of a thread.
template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

TEST(IdleTimeout, WorkersEndAndComeAgain) {
  counter begun;
  counter ended;
  {
    tandem::thread_pool pool({.max_workers = 4,
                              .name_prefix = "idle",
                              .initializer = [&] { begun.add(); },
                              .finalizer = [&] { ended.add(); },
                              .idle_timeout = 5ms});
    for (int round = 1; round <= 3; ++round) {
      use_all(pool);
      ended.wait_for(begun.value());
      wait_until([&] { return pool.stats().workers == 0; });
      wait_until([] { return threads_called("idle-") == 0; });
      EXPECT_TRUE(pool.stats().per_worker.empty());
      EXPECT_EQ(pool.max_workers(), 4);
    }
    EXPECT_GE(begun.value(), 12);
    EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  }
  EXPECT_EQ(begun.value(), ended.value());
}

TEST(IdleTimeout, WorkersThatAreUsedStay) {
  std::atomic<int> begun{0};
  tandem::thread_pool pool({.max_workers = 2, .initializer = [&] { ++begun; }, .idle_timeout = 1h});
  for (int i = 0; i < 100; ++i) use_all(pool);
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(pool.stats().workers, 2);
}

// Beds without threads are no reason to start one while a worker is about to be free.
TEST(IdleTimeout, TasksOneAfterTheOtherUseOneWorkerWhenAllHaveEnded) {
  counter begun;
  counter ended;
  tandem::thread_pool pool({.max_workers = 6,
                            .initializer = [&] { begun.add(); },
                            .finalizer = [&] { ended.add(); },
                            .idle_timeout = 300ms});
  use_all(pool);
  ended.wait_for(6);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(pool.submit([i] { return i; }).get(), i);
  EXPECT_LE(begun.value(), 8);  // one more, or two if the machine has slept for 300 ms
}

// Its finalizer takes its time, and is nobody who could be called.
TEST(IdleTimeout, WorkerThatIsEndingHoldsUpNoTask) {
  gate go;
  counter ending;
  std::atomic<bool> first{true};
  tandem::thread_pool pool({.max_workers = 1,
                            .finalizer =
                                [&] {
                                  ending.add();
                                  if (first.exchange(false)) go.wait();
                                },
                            .idle_timeout = 1ms});
  const tandem::test::gate_opener at_last(go);
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  ending.wait_for(1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pool.submit([i] { return i; }).get(), i);
    ending.wait_for(i / 2);
  }
}

TEST(IdleTimeout, FinalizerMayWaitForATaskOfThePool) {
  counter ended;
  tandem::thread_pool* self = nullptr;
  std::atomic<int> got{0};
  std::atomic<bool> first{true};
  tandem::thread_pool pool({.max_workers = 1,
                            .finalizer =
                                [&] {
                                  if (first.exchange(false)) got = self->submit([] { return 7; }).get();
                                  ended.add();
                                },
                            .idle_timeout = 1ms});
  self = &pool;
  pool.submit([] {}).get();
  ended.wait_for(2);
  EXPECT_EQ(got, 7);
}

// Waiting in a finalizer must leave the count of active workers alone.
TEST(IdleTimeout, FinalizerMayWaitForAnotherPool) {
  tandem::thread_pool other({.max_workers = 1});
  counter ended;
  const auto wait_for_it = [&] {
    gate go;
    auto f = other.submit([&] { go.wait(); });
    other.post([&] { ended.add(); });
    go.open();
    f.get();
  };
  {
    tandem::thread_pool pool({.max_workers = 2, .finalizer = wait_for_it, .idle_timeout = 1ms});
    use_all(pool);
    ended.wait_for(2);
    use_all(pool);
  }
  ended.wait_for(3);
}

TEST(IdleTimeout, PoolMayEndWhileWorkersAreAsleepEndingOrGone) {
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};
    {
      tandem::thread_pool pool({.max_workers = 3,
                                .initializer = [&] { ++begun; },
                                .finalizer = [&] { ++ended; },
                                .idle_timeout = std::chrono::microseconds(10 * (round % 20) + 1)});
      use_all(pool);
      if (round % 3 == 0) use_all(pool);
      if (round % 2 == 0) pool.shutdown({.cancel_pending = true});
    }
    ASSERT_EQ(begun, ended);
    ASSERT_GE(begun, 3);
  }
}

TEST(IdleTimeout, PoolMayEndWhileAFinalizerRuns) {
  gate go;
  counter ending;
  std::thread ends;
  {
    tandem::thread_pool pool({.max_workers = 1,
                              .finalizer =
                                  [&] {
                                    ending.add();
                                    go.wait();
                                  },
                              .idle_timeout = 1ms});
    pool.submit([] {}).get();
    ending.wait_for(1);
    pool.shutdown({.wait = false});
    ends = std::thread([&] { go.open(); });
  }
  ends.join();
  EXPECT_EQ(ending.value(), 1);
}

TEST(IdleTimeout, InitializerThatThrowsTheSecondTimeBreaksThePool) {
  std::atomic<int> begun{0};
  counter ended;
  tandem::thread_pool pool({.max_workers = 1,
                            .initializer =
                                [&] {
                                  if (++begun == 2) throw std::runtime_error("no licence left");
                                },
                            .finalizer = [&] { ended.add(); },
                            .idle_timeout = 1ms});
  pool.submit([] {}).get();
  ended.wait_for(1);
  // Until the worker that is called is a new one.
  EXPECT_THROW(
      {
        for (;;) {
          pool.submit([] {}).get();
          ended.wait_for(begun);
        }
      },
      tandem::broken_pool_error);
  try {
    pool.submit([] {}).get();
    FAIL() << "submit on a broken pool";
  } catch (const tandem::broken_pool_error& e) {
    EXPECT_NE(std::string(e.what()).find("no licence left"), std::string::npos) << e.what();
  }
  EXPECT_EQ(ended.value(), 1);
}

TEST(IdleTimeout, FinalizerThatThrowsIsReportedAndHarmsNothing) {
  counter ended;
  testing::internal::CaptureStderr();
  {
    tandem::thread_pool pool({.max_workers = 1,
                              .finalizer =
                                  [&] {
                                    ended.add();
                                    throw std::runtime_error("cannot disconnect");
                                  },
                              .idle_timeout = 1ms});
    for (int i = 1; i <= 3; ++i) {
      EXPECT_EQ(pool.submit([i] { return i; }).get(), i);
      ended.wait_for(i);
    }
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cannot disconnect"), std::string::npos);
}

TEST(IdleTimeout, SparesThatStoodInAreGoneToo) {
  gate go;
  tandem::thread_pool pool({.max_workers = 2, .idle_timeout = 1ms});
  std::vector<tandem::future<void>> fs;
  counter blocked;
  for (int i = 0; i < 6; ++i) {
    fs.push_back(pool.submit([&] {
      const tandem::this_task::blocking_region region;
      blocked.add();
      go.wait();
    }));
  }
  blocked.wait_for(6);
  go.open();
  for (auto& f : fs) f.get();
  wait_until([&] { return pool.stats().workers == 0; });
  use_all(pool);
}

}  // namespace
