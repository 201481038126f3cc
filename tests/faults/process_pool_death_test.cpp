// Workers die in every way and at every point; only the task that a worker was running may notice.
#include "faults/tasks.hpp"
#include "support/gate.hpp"
#include "support/processes.hpp"

#include <tandem/as_completed.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/this_task.hpp>
#include <tandem/wait.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::test::death;

struct expected_death {
  death how;
  int signal;
  int exit_code;
};

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;  // AddressSanitizer turns a SIGSEGV into its own exit
#else
constexpr bool sanitized = false;
#endif

class Death : public testing::TestWithParam<expected_death> {};

TEST_P(Death, FailsOnlyTheTaskThatDied) {
  const auto [how, signal, exit_code] = GetParam();
  process_pool pool({.max_workers = 2});
  std::vector<tandem::future<int>> before;
  for (int i = 0; i < 20; ++i) before.push_back(pool.submit(tandem::test::add_one, i));
  auto dying = pool.submit({.name = "last words"}, tandem::test::die, how);
  std::vector<tandem::future<int>> after;
  for (int i = 0; i < 20; ++i) after.push_back(pool.submit(tandem::test::add_one, i));
  try {
    dying.get();
    FAIL() << "the task is said to have survived";
  } catch (const tandem::worker_died_error& e) {
    EXPECT_GT(e.pid(), 0);
    if (!(sanitized && signal == SIGSEGV)) {
      EXPECT_EQ(e.signal(), signal) << e.what();
      EXPECT_EQ(e.exit_code(), exit_code) << e.what();
    }
    const std::string what = e.what();
    EXPECT_NE(what.find(std::to_string(e.pid())), std::string::npos) << what;
    EXPECT_NE(what.find("last words"), std::string::npos) << what;
    EXPECT_NE(what.find("while running"), std::string::npos) << what;
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(before[static_cast<std::size_t>(i)].get(), i + 1);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(after[static_cast<std::size_t>(i)].get(), i + 1);
  EXPECT_EQ(pool.stats().restarts, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, Death,
    testing::Values(expected_death{death::sigkill, SIGKILL, -1}, expected_death{death::sigsegv, SIGSEGV, -1},
                    expected_death{death::abort_, SIGABRT, -1}, expected_death{death::exit_0, 0, 0},
                    expected_death{death::exit_7, 0, 7}, expected_death{death::quick_exit_9, 0, 9},
                    expected_death{death::stack_overflow, SIGSEGV, -1}));

int pass_both(std::string first, std::string second) {
  tandem::test::pass(first);
  return tandem::test::pass(second);
}

TEST(ProcessPool, LosesExactlyOneOfTenThousandTasksWhenAWorkerIsKilled) {
  process_pool pool({.max_workers = 2});
  const tandem::test::fifo started;
  const tandem::test::fifo gate;
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < 5000; ++i) tasks.push_back(pool.submit(tandem::test::add_one, i));
  auto held = pool.submit({.name = "held"}, pass_both, started.path(), gate.path());
  for (int i = 5000; i < 9999; ++i) tasks.push_back(pool.submit(tandem::test::add_one, i));
  started.release();  // it runs now, in the middle of the others
  int killed = 0;
  for (const auto& row : pool.stats().per_worker) {
    if (row.task == "held") killed += kill(row.pid, SIGKILL) == 0 ? 1 : 0;
  }
  ASSERT_EQ(killed, 1);
  EXPECT_THROW(held.get(), tandem::worker_died_error);
  for (int i = 0; i < 9999; ++i) ASSERT_EQ(tasks[static_cast<std::size_t>(i)].get(), i + 1);
  EXPECT_EQ(pool.stats().failed, 1);
  EXPECT_EQ(pool.stats().finished, 10000);
}

TEST(ProcessPool, DeliversEveryOtherResultWhenWorkersAreKilledInTheMiddle) {
  process_pool pool({.max_workers = 2});
  ASSERT_EQ(pool.submit(tandem::test::add_one, 0).get(), 1);
  constexpr int count = 10000;
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < count; ++i) {
    tasks.push_back(pool.submit(tandem::test::add_one, i));
    if (i == count / 2) {
      const auto rows = pool.stats().per_worker;
      ASSERT_FALSE(rows.empty());
      ASSERT_EQ(kill(rows.front().pid, SIGKILL), 0);
    }
  }
  int lost = 0;
  for (int i = 0; i < count; ++i) {
    try {
      ASSERT_EQ(tasks[static_cast<std::size_t>(i)].get(), i + 1);
    } catch (const tandem::worker_died_error& e) {
      EXPECT_EQ(e.signal(), SIGKILL);
      ++lost;
    }
  }
  EXPECT_LE(lost, 1);  // none, if it was killed between two tasks
}

int parent_pid() { return static_cast<int>(getppid()); }

/// Returns when the process is gone, and the fork server, which has seen to that, has told the pool and sleeps.
void wait_until_reported(int worker, int server) {
  for (bool over = false; !over; sched_yield()) {
    over = kill(worker, 0) != 0;
    for (const auto& process : tandem::test::family(getpid()))
      over = over && (process.pid != server || process.state == 'S');
  }
}

TEST(ProcessPool, DeliversWhatAWorkerHasAnsweredBeforeItDied) {
  process_pool pool({.max_workers = 1});
  // So many short tasks that the pool trusts the next ones to be short, too, and lets them wait in the ring.
  for (int round = 0; round < 20; ++round)
    pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(50));
  const int worker = pool.submit(tandem::test::worker_pid).get();
  const int server = pool.submit(parent_pid).get();
  const tandem::test::fifo first_gate;
  const tandem::test::fifo second_gate;
  tandem::test::gate in_callback;
  tandem::test::gate go_on;
  const tandem::test::gate_opener at_end(go_on);
  auto first = pool.submit(tandem::test::pass, first_gate.path());
  first.on_done(
      [&] {  // holds the manager up, so that it hears of the death before it has collected the next answer
        in_callback.open();
        go_on.wait();
      });
  auto answered = pool.submit(tandem::test::pass, second_gate.path());
  auto dying = pool.submit(tandem::test::die, death::sigkill);
  first_gate.release();
  in_callback.wait();
  second_gate.release();
  wait_until_reported(worker, server);
  go_on.open();
  EXPECT_EQ(answered.get(), worker);
  EXPECT_THROW(dying.get(), tandem::worker_died_error);
}

TEST(ProcessPool, SurvivesAllItsWorkersBeingKilledAgainAndAgain) {
  process_pool pool({.max_workers = 3});
  std::mt19937 random(4711);
  int lost = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<tandem::future<int>> tasks;
    const int kill_at = static_cast<int>(random() % 200);
    for (int i = 0; i < 200; ++i) {
      tasks.push_back(pool.submit(tandem::test::add_one, i));
      if (i != kill_at) continue;
      for (const auto& row : pool.stats().per_worker) {
        if (row.pid > 0) kill(row.pid, SIGKILL);
      }
    }
    for (int i = 0; i < 200; ++i) {
      try {
        ASSERT_EQ(tasks[static_cast<std::size_t>(i)].get(), i + 1);
      } catch (const tandem::worker_died_error&) {
        ++lost;
      }
    }
  }
  EXPECT_LE(lost, 20 * 3);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 41).get(), 42);
}

int kill_each_other(std::vector<int> pids) {
  for (const int pid : pids) {
    if (pid != getpid()) kill(pid, SIGKILL);
  }
  return 1;
}

TEST(ProcessPool, SurvivesWorkersThatKillEachOther) {
  process_pool pool({.max_workers = 2});
  pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(8));
  for (int round = 0; round < 10; ++round) {
    std::vector<int> pids;
    for (const auto& row : pool.stats().per_worker) {
      if (row.pid > 0) pids.push_back(row.pid);
    }
    auto a = pool.submit(kill_each_other, pids);
    auto b = pool.submit(kill_each_other, pids);
    for (auto* f : {&a, &b}) {
      try {
        EXPECT_EQ(f->get(), 1);
      } catch (const tandem::worker_died_error& e) {
        EXPECT_EQ(e.signal(), SIGKILL);
      }
    }
  }
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

int die_before_attempt(int wanted) {
  if (tandem::this_task::attempt() < wanted) _exit(3);
  return tandem::this_task::attempt();
}

TEST(ProcessPool, TriesAgainAsOftenAsRetriesSay) {
  process_pool pool({.max_workers = 2});
  EXPECT_EQ(pool.submit({.retries = 2}, die_before_attempt, 3).get(), 3);
  EXPECT_EQ(pool.stats().retried, 2);
  try {
    pool.submit({.retries = 2}, die_before_attempt, 99).get();
    FAIL();
  } catch (const tandem::worker_died_error& e) {
    EXPECT_NE(std::string(e.what()).find("attempt 3"), std::string::npos) << e.what();
  }
}

int ignore_term_and_wait(std::string path) {
  std::signal(SIGTERM, SIG_IGN);
  return tandem::test::pass(path);
}

TEST(ProcessPool, KillsTheWorkerOfATaskThatTakesTooLong) {
  process_pool pool({.max_workers = 1});
  const tandem::test::fifo gate;
  const int pid = pool.submit(tandem::test::worker_pid).get();
  auto late = pool.submit({.name = "slow", .timeout = 50ms}, tandem::test::pass, gate.path());
  auto next = pool.submit(tandem::test::worker_pid);
  EXPECT_THROW(late.get(), tandem::timeout_error);
  EXPECT_NE(next.get(), pid);
  auto stubborn = pool.submit({.timeout = 50ms}, ignore_term_and_wait, gate.path());
  EXPECT_THROW(stubborn.get(), tandem::timeout_error);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
  EXPECT_EQ(pool.submit({.timeout = 10s}, tandem::test::add_one, 1).get(), 2);
  EXPECT_EQ(pool.stats().restarts, 2);
}

TEST(ProcessPool, KillsTheWorkerOfACancelledTaskIfToldTo) {
  process_pool pool({.max_workers = 1, .kill_on_cancel = true});
  const tandem::test::fifo gate;
  const tandem::test::fifo started;
  const int pid = pool.submit(tandem::test::worker_pid).get();
  auto running = pool.submit(pass_both, started.path(), gate.path());
  started.release();
  EXPECT_TRUE(running.cancel());
  EXPECT_THROW(running.get(), tandem::cancelled_error);
  EXPECT_NE(pool.submit(tandem::test::worker_pid).get(), pid);
}

bool wait_for_stop(std::string started) {
  tandem::test::pass(started);
  while (!tandem::this_task::stop_requested()) sched_yield();
  return true;
}

TEST(ProcessPool, AsksARunningTaskToStop) {
  process_pool pool({.max_workers = 1});
  const tandem::test::fifo started;
  auto running = pool.submit(wait_for_stop, started.path());
  started.release();
  EXPECT_FALSE(running.cancel());
  EXPECT_TRUE(running.get());
}

TEST(ProcessPool, ReplacesAWorkerAfterItsShareOfTasks) {
  process_pool pool({.max_workers = 1, .max_tasks_per_worker = 3});
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < 12; ++i) tasks.push_back(pool.submit(tandem::test::worker_pid));
  pool.shutdown({.wait = false});
  std::vector<int> pids;
  for (auto& t : tasks) pids.push_back(t.get());
  for (std::size_t i = 0; i < pids.size(); i += 3) {
    EXPECT_EQ(pids[i], pids[i + 1]);
    EXPECT_EQ(pids[i], pids[i + 2]);
    if (i != 0) {
      EXPECT_NE(pids[i], pids[i - 1]);
    }
  }
}

TEST(ProcessPool, TakesTasksBackFromBehindOneThatDoesNotEnd) {
  process_pool pool({.max_workers = 2});
  // So many short tasks that the pool trusts the next ones to be short, too.
  for (int round = 0; round < 20; ++round)
    pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(50));
  const tandem::test::fifo gate;
  std::vector<tandem::future<int>> tasks;
  auto endless = pool.submit(tandem::test::pass, gate.path());
  for (int i = 0; i < 100; ++i) tasks.push_back(pool.submit(tandem::test::add_one, i));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(tasks[static_cast<std::size_t>(i)].get(), i + 1);
  gate.release();
  EXPECT_GT(endless.get(), 0);
}

int spin(int) {
  const auto end = std::chrono::steady_clock::now() + 20us;
  while (std::chrono::steady_clock::now() < end) {}
  return 1;
}

TEST(ProcessPool, TakesTasksBackFromBehindOneThatDoesNotEndUnderSteadyLoad) {
  process_pool pool({.max_workers = 2});
  for (int round = 0; round < 20; ++round) pool.map({.chunk_size = 1}, spin, std::vector<int>(50));
  // From here on no worker is ever idle: there is always something in the backlog.
  const auto keep_busy = [&pool] {
    while (pool.stats().queued < 1000) {
      for (int i = 0; i < 100; ++i) pool.post(spin, i);
    }
  };
  keep_busy();
  const tandem::test::fifo gate;
  auto endless = pool.submit(tandem::test::pass, gate.path());
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < 200; ++i) tasks.push_back(pool.submit(spin, i));
  const auto end = std::chrono::steady_clock::now() + 20s;
  const auto is_ready = [](const auto& f) { return f.is_ready(); };
  while (!std::all_of(tasks.begin(), tasks.end(), is_ready)) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "starved";
    keep_busy();
  }
  gate.release();
  EXPECT_GT(endless.get(), 0);
}

TEST(ProcessPool, CancelsATaskThatWaitsInARing) {
  process_pool pool({.max_workers = 1});
  for (int round = 0; round < 20; ++round)
    pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(50));
  const tandem::test::fifo gate;
  auto first = pool.submit(tandem::test::pass, gate.path());
  std::vector<tandem::future<int>> behind;
  for (int i = 0; i < 80; ++i) behind.push_back(pool.submit(tandem::test::add_one, i));
  for (std::size_t i = 0; i < behind.size(); i += 2) EXPECT_TRUE(behind[i].cancel());
  gate.release();
  EXPECT_GT(first.get(), 0);
  for (std::size_t i = 0; i < behind.size(); ++i) {
    if (i % 2 == 0) {
      EXPECT_THROW(behind[i].get(), tandem::cancelled_error);
    } else {
      EXPECT_EQ(behind[i].get(), static_cast<int>(i) + 1);
    }
  }
}

void throw_in_initializer() { throw std::runtime_error("no licence found"); }

TEST(ProcessPool, IsBrokenWhenAnInitializerThrows) {
  process_pool pool({.max_workers = 2, .initializer = throw_in_initializer});
  testing::internal::CaptureStderr();
  auto task = pool.submit(tandem::test::add_one, 1);
  try {
    task.get();
    ADD_FAILURE();
  } catch (const tandem::broken_pool_error& e) {
    EXPECT_NE(std::string(e.what()).find("no licence found"), std::string::npos) << e.what();
  }
  EXPECT_THROW(pool.submit(tandem::test::add_one, 1), tandem::broken_pool_error);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("no licence found"), std::string::npos);
}

void throw_at_length() { throw std::runtime_error("no licence found" + std::string(2000, '!')); }

TEST(ProcessPool, TellsTheBeginningOfALongErrorOfAnInitializer) {
  process_pool pool({.max_workers = 1, .initializer = throw_at_length});
  testing::internal::CaptureStderr();
  try {
    pool.submit(tandem::test::add_one, 1).get();
    ADD_FAILURE();
  } catch (const tandem::broken_pool_error& e) {
    EXPECT_NE(std::string(e.what()).find("no licence found!!!"), std::string::npos) << e.what();
  }
  testing::internal::GetCapturedStderr();
}

void die_in_initializer() { _exit(5); }

TEST(ProcessPool, IsBrokenWhenWorkersDieBeforeTheyServe) {
  process_pool pool({.max_workers = 2, .initializer = die_in_initializer});
  testing::internal::CaptureStderr();
  auto task = pool.submit(tandem::test::add_one, 1);
  EXPECT_THROW(task.get(), tandem::broken_pool_error);
  testing::internal::GetCapturedStderr();
}

}  // namespace
