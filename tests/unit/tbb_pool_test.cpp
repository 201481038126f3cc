// What is particular to tbb_pool: whose threads it uses, and how it lives with other work of oneTBB. What it shares
// with the other backends is in tests/contract/.
#include <tandem/tbb_pool.hpp>
#include <tandem/this_task.hpp>
#include <tandem/wait.hpp>

#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/gate.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace {

using tandem::promise;
using tandem::tbb_pool;
using tandem::test::counter;
using tandem::test::gate;
using tandem::test::gate_opener;

TEST(TbbPool, RunsAsManyBlockedTasksAsWorkersAlsoBeyondTheCpus) {
  for (const int workers : {1, 2, 3, 17}) {
    tbb_pool pool({.max_workers = workers});
    gate open;
    const gate_opener at_end(open);
    counter started;
    std::atomic<int> most{0};
    std::atomic<int> now{0};
    std::vector<tandem::future<void>> fs;
    for (int i = 0; i < 15 * workers; ++i) {
      fs.push_back(pool.submit([&] {
        const int n = ++now;
        for (int m = most; m < n && !most.compare_exchange_weak(m, n);) {}
        started.add();
        open.wait();
        --now;
      }));
    }
    started.wait_for(workers);
    EXPECT_EQ(pool.stats().running, workers);
    EXPECT_EQ(pool.stats().workers, workers);
    EXPECT_EQ(pool.stats().queued, 14 * workers);
    open.open();
    for (auto& f : fs) f.get();
    EXPECT_EQ(most, workers);
  }
}

TEST(TbbPool, MissesNoTaskThatComesWhenItsWorkerGoesToRest) {
  const tandem::test::seed_scope seed;
  auto random = tandem::test::seed_scope::generator();
  tbb_pool pool({.max_workers = 1});
  const int rounds = 30'000 / tandem::test::slowness();
  for (int i = 0; i < rounds; ++i) {
    const auto f = pool.submit([] {});
    while (!f.is_ready()) {}  // not by wait(): the next one shall come at once
    for (auto n = random() % 300; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
  }
}

// oneTBB takes a thread that is blocked in one arena for one that could serve another, once the first arena has
// nothing more to do: without an arena per worker the second pool would not get a single thread.
TEST(TbbPool, BlockedTasksTakeNoThreadFromAnotherPool) {
  tbb_pool waiting({.max_workers = 4});
  tbb_pool working({.max_workers = 3});
  gate open;
  const gate_opener at_end(open);
  counter started;
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 3; ++i) {
    fs.push_back(waiting.submit([&] {
      started.add();
      open.wait();
    }));
  }
  started.wait_for(3);
  waiting.submit([] {}).get();  // the fourth worker has found nothing more by the time that it leaves
  counter others;
  for (int i = 0; i < 3; ++i) {
    fs.push_back(working.submit([&] {
      others.add();
      others.wait_for(3);
    }));
  }
  for (std::size_t i = 3; i < fs.size(); ++i) fs[i].get();
}

TEST(TbbPool, BlockedTasksTakeNoThreadFromOtherArenas) {
  tbb_pool pool({.max_workers = 4});
  gate open;
  const gate_opener at_end(open);
  counter started;
  for (int i = 0; i < 4; ++i) {
    pool.post([&] {
      started.add();
      open.wait();
    });
  }
  started.wait_for(4);
  tbb::task_arena arena(2, 1);
  counter ran;
  arena.enqueue([&] { ran.add(); });
  ran.wait_for(1);
}

TEST(TbbPool, TasksOfOnePoolMayWaitForTasksOfAnother) {
  tbb_pool outer({.max_workers = 3});
  tbb_pool inner({.max_workers = 2});
  std::vector<tandem::future<int>> fs;
  for (int i = 0; i < 50; ++i)
    fs.push_back(outer.submit([&inner, i] { return inner.submit([i] { return 2 * i; }).get(); }));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].get(), 2 * i);
}

// Two bodies that wait for each other need two threads: the task's own and an idle worker's.
TEST(TbbPool, AlgorithmsInATaskUseIdleWorkers) {
  tbb_pool pool({.max_workers = 2});
  EXPECT_EQ(pool.submit([] {
                  counter both;
                  tbb::parallel_for(
                      0, 2,
                      [&](int) {
                        both.add();
                        both.wait_for(2);
                      },
                      tbb::simple_partitioner());
                  return both.value();
                })
                .get(),
            2);
}

TEST(TbbPool, AlgorithmsInATaskUseNoMoreThreadsThanWorkers) {
  tbb_pool pool({.max_workers = 2});
  EXPECT_EQ(pool.submit([] { return tbb::this_task_arena::max_concurrency(); }).get(), 2);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  pool.submit([&] {
        tbb::parallel_for(0, 10'000, [&](int) {
          const std::lock_guard lock(mutex);
          threads.insert(std::this_thread::get_id());
        });
      })
      .get();
  EXPECT_LE(threads.size(), 2U);
}

// While a task waits for its own parallel_for, its thread must not take up another task's parts: those may want the
// lock that this one holds.
TEST(TbbPool, TaskThatWaitsInAnAlgorithmRunsNoOtherTask) {
  tbb_pool pool({.max_workers = 4});
  std::mutex mutex;
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 200; ++i) {
    fs.push_back(pool.submit([&] {
      const std::lock_guard lock(mutex);
      tbb::parallel_for(0, 100, [](int) {});
    }));
  }
  for (auto& f : fs) f.get();
}

// Two threads in one task's algorithm, of which one is no worker. Both submit to the pool of the task.
template <class Body>
void run_in_both(tbb_pool& pool, Body body) {
  counter there;
  pool.submit([&] {
        tbb::parallel_for(
            0, 2,
            [&](int) {
              there.add();
              there.wait_for(2);
              body();
            },
            tbb::simple_partitioner());
      })
      .get();
}

TEST(TbbPool, HelpersOfAnAlgorithmMayWaitForTasksOfTheirPool) {
  tbb_pool pool({.max_workers = 2});
  std::atomic<int> sum{0};
  run_in_both(pool, [&] { sum += pool.submit([] { return 1; }).get(); });
  EXPECT_EQ(sum, 2);
  EXPECT_EQ(pool.stats().finished, 3);
  EXPECT_EQ(pool.stats().running, 0);
}

TEST(TbbPool, HelpersOfAnAlgorithmMayWaitForTasksThatRunElsewhere) {
  tbb_pool pool({.max_workers = 2});
  promise<void> p;
  std::atomic<int> sum{0};
  counter waiting;
  const auto shared = p.get_future().share();
  tandem::future<void> opener;
  run_in_both(pool, [&] {
    if (waiting.add() == 2) opener = pool.submit([&] { p.set_value(); });
    shared.get();  // nothing to be run in place: a spare has to come
    ++sum;
  });
  opener.get();
  EXPECT_EQ(sum, 2);
}

TEST(TbbPool, HelpersOfAnAlgorithmDoNotWaitForRoomThatOnlyTheyCanMake) {
  tbb_pool pool({.max_workers = 2, .queue_capacity = 1, .when_full = tandem::when_full::block});
  std::atomic<int> sum{0};
  run_in_both(pool, [&] {
    std::vector<tandem::future<int>> fs;
    for (int i = 0; i < 10; ++i) fs.push_back(pool.submit([] { return 1; }));
    for (auto& f : fs) sum += f.get();
  });
  EXPECT_EQ(sum, 20);
}

TEST(TbbPool, HelpersOfAnAlgorithmCannotShutThePoolDownAndWait) {
  tbb_pool pool({.max_workers = 2});
  std::atomic<int> refused{0};
  run_in_both(pool, [&] {
    try {
      pool.shutdown();
    } catch (const tandem::invalid_state_error&) {
      ++refused;
    }
  });
  EXPECT_EQ(refused, 2);
}

TEST(TbbPool, LimitOnThreadsIsRaisedByAllPoolsThatLive) {
  const auto limit = [] {
    return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  };
  const auto cpus = static_cast<std::size_t>(tbb::info::default_concurrency());
  {
    tbb_pool one({.max_workers = 30});
    EXPECT_GE(limit(), cpus + 30);
    tbb_pool two({.max_workers = 5});
    EXPECT_GE(limit(), cpus + 35);
  }
  EXPECT_GE(limit(), cpus + 35);
  tbb_pool three({.max_workers = 34});
  EXPECT_GE(limit(), cpus + 35);
}

TEST(TbbPool, LowerLimitOfTheProgramSlowsDownButDoesNotStop) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, 1);
  tbb_pool one({.max_workers = 4});
  tbb_pool two({.max_workers = 4});
  std::vector<tandem::future<int>> fs;
  for (int i = 0; i < 400; ++i) fs.push_back((i % 2 == 0 ? one : two).submit([i] { return i; }));
  for (int i = 0; i < 400; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].get(), i);
}

TEST(TbbPool, HooksRunOnTheThreadOfTheirTasks) {
  thread_local int prepared = 0;
  std::atomic<int> initialized{0};
  std::atomic<int> finalized{0};
  std::atomic<int> unprepared{0};
  {
    tbb_pool pool({.max_workers = 3,
                   .initializer =
                       [&] {
                         ++prepared;
                         ++initialized;
                       },
                   .finalizer =
                       [&] {
                         if (--prepared != 0) ++unprepared;
                         ++finalized;
                       }});
    for (int round = 0; round < 20; ++round) {
      std::vector<tandem::future<void>> fs;
      for (int i = 0; i < 20; ++i) {
        fs.push_back(pool.submit([&] {
          if (prepared != 1) ++unprepared;
          tbb::parallel_for(0, 10, [](int) {});
        }));
      }
      for (auto& f : fs) f.get();
    }
    EXPECT_LE(initialized, 3);
    EXPECT_EQ(finalized, 0);
  }
  EXPECT_GE(initialized, 1);
  EXPECT_EQ(finalized, initialized);
  EXPECT_EQ(unprepared, 0);
}

TEST(TbbPool, SparesStandInForBlockedTasksAndGoAgain) {
  tbb_pool pool({.max_workers = 2});
  gate open;
  const gate_opener at_end(open);
  counter blocked;
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 6; ++i) {
    fs.push_back(pool.submit([&] {
      const tandem::this_task::blocking_region region;
      blocked.add();
      open.wait();
    }));
  }
  blocked.wait_for(6);
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);
  open.open();
  for (auto& f : fs) f.get();
  while (pool.stats().workers != 0) std::this_thread::yield();
  EXPECT_EQ(pool.submit([] { return 2; }).get(), 2);
}

TEST(TbbPool, NoMoreSparesComeThanTasksAreBlocked) {
  tbb_pool pool({.max_workers = 1});
  gate open;
  const gate_opener at_end(open);
  counter blocked;
  counter running;
  auto a = pool.submit([&] {
    const tandem::this_task::blocking_region region;
    blocked.add();
    open.wait();
  });
  blocked.wait_for(1);
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 3; ++i) {
    fs.push_back(pool.submit([&] {
      running.add();
      open.wait();
    }));
  }
  running.wait_for(1);
  EXPECT_EQ(pool.stats().running, 2);
  EXPECT_EQ(pool.stats().queued, 2);
  open.open();
  for (auto& f : fs) f.get();
}

TEST(TbbPool, NoMoreSparesComeAlsoWhenSeveralSubmitAtOnce) {
  tbb_pool pool({.max_workers = 1});
  gate open;
  const gate_opener at_end(open);
  counter blocked;
  auto a = pool.submit([&] {
    const tandem::this_task::blocking_region region;
    blocked.add();
    open.wait();
  });
  blocked.wait_for(1);
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  const auto submit = [&] {
    for (int i = 0; i < 5000 / tandem::test::slowness(); ++i) {
      const auto f = pool.submit([&] {
        const int n = ++now;
        for (int m = most; m < n && !most.compare_exchange_weak(m, n);) {}
        std::this_thread::yield();
        --now;
      });
      while (!f.is_ready()) std::this_thread::yield();  // the spare goes to rest meanwhile
    }
  };
  std::thread other(submit);
  submit();
  other.join();
  EXPECT_EQ(most, 1);
}

// Its blocked task goes on, so there are two where one may work: the spare leaves when its task is done.
TEST(TbbPool, SpareThatIsNotNeededAnyMoreTakesNoFurtherTask) {
  for (const bool hooks : {false, true}) {
    tandem::tbb_pool_options options{.max_workers = 1};
    if (hooks) options.initializer = [] {};
    tbb_pool pool(options);
    gate unblock;
    gate finish;
    gate second;
    const gate_opener at_end(unblock);
    const gate_opener at_end_too(finish);
    const gate_opener at_last(second);
    counter blocked;
    counter working;
    auto first = pool.submit([&] {
      {
        const tandem::this_task::blocking_region region;
        blocked.add();
        unblock.wait();
      }
      blocked.add();
      finish.wait();
    });
    blocked.wait_for(1);
    auto by_spare = pool.submit([&] {
      working.add();
      second.wait();
    });
    working.wait_for(1);
    unblock.open();
    blocked.wait_for(2);
    std::atomic<bool> begun{false};
    auto last = pool.submit([&] { begun = true; });
    second.open();
    by_spare.get();
    // Until the spare has gone to rest.
    while (pool.stats().running != 1 || pool.stats().idle != 0) std::this_thread::yield();
    EXPECT_EQ(pool.stats().queued, 1);
    EXPECT_FALSE(begun);
    finish.open();
    last.get();
    first.get();
  }
}

TEST(TbbPool, SparesRunTheHooksToo) {
  std::atomic<int> initialized{0};
  std::atomic<int> finalized{0};
  {
    tbb_pool pool(
        {.max_workers = 1, .initializer = [&] { ++initialized; }, .finalizer = [&] { ++finalized; }});
    for (int round = 0; round < 50; ++round) {
      auto f =
          pool.submit([&] { return pool.submit([] { return 1; }).then([](int x) { return x + 1; }).get(); });
      EXPECT_EQ(f.get(), 2);
    }
    EXPECT_EQ(initialized, 2);
    EXPECT_EQ(finalized, 0);
  }
  EXPECT_EQ(finalized, 2);
}

TEST(TbbPool, ShutdownWaitsForTasksThatSparesRun) {
  for (const bool hooks : {false, true}) {
    for (int round = 0; round < 200; ++round) {
      tandem::tbb_pool_options options{.max_workers = 1};
      if (hooks) options.finalizer = [] {};
      std::atomic<int> done{0};
      {
        tbb_pool pool(options);
        for (int i = 0; i < 4; ++i) {
          pool.post([&] {
            const tandem::this_task::blocking_region region;
            ++done;
          });
        }
      }
      ASSERT_EQ(done, 4);
    }
  }
}

TEST(TbbPool, DestroyedByItsOwnTaskFinishesWithoutBeingWaitedFor) {
  counter ran;
  gate destroyed;
  auto pool = std::make_unique<tbb_pool>(tandem::tbb_pool_options{.max_workers = 1});
  auto first = pool->submit([&] {
    destroyed.wait();
    testing::internal::CaptureStderr();
    pool.reset();
    return testing::internal::GetCapturedStderr();
  });
  auto second = pool->submit([&] { ran.add(); });
  destroyed.open();
  EXPECT_NE(first.get().find("destroyed by one of its own tasks"), std::string::npos);
  second.get();
  EXPECT_EQ(ran.value(), 1);
}

TEST(TbbPool, ForkedChildIsToldAndDoesNotHang) {
  auto pool = std::make_unique<tbb_pool>(tandem::tbb_pool_options{.max_workers = 2});
  pool->submit([] {}).get();
  const pid_t child = fork();
  if (child == 0) {
    int code = 1;
    try {
      (void)pool->submit([] {});
    } catch (const tandem::broken_pool_error&) {
      code = 0;
    }
    pool->shutdown();
    pool.reset();
    _exit(code);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(pool->submit([] { return 1; }).get(), 1);
}

TEST(TbbPool, RefusesWhatItCannotDo) {
  const auto message = [](tandem::tbb_pool_options options) -> std::string {
    try {
      tbb_pool pool(std::move(options));
      return "";
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
  };
  EXPECT_NE(message({.max_workers = -3}).find("max_workers is -3"), std::string::npos);
  EXPECT_NE(message({.max_workers = 1 << 20}).find("max_workers is 1048576"), std::string::npos);
  EXPECT_NE(message({.queue_capacity = -1}).find("queue_capacity is -1"), std::string::npos);
  EXPECT_EQ(message({.max_workers = 2}), "");
}

}  // namespace
