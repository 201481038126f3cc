// The end by force: every future is resolved at once, and nothing that a task has started is left.
#include "faults/tasks.hpp"
#include "support/gate.hpp"
#include "support/processes.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using tandem::process_pool;
using tandem::test::fifo;

/// Tells its pid to the other end, and stays.
int report_and_stay(std::string report) {
  const int fd = open(report.c_str(), O_WRONLY | O_CLOEXEC);
  const int pid = static_cast<int>(getpid());
  if (write(fd, &pid, sizeof pid) != sizeof pid) return 1;
  close(fd);
  for (;;) pause();
}

/// The same, and SIGTERM means nothing to it.
int report_and_stay_stubbornly(std::string report) {
  std::signal(SIGTERM, SIG_IGN);
  return report_and_stay(report);
}

/// Starts a child in the worker's group, one in a session of its own, and one whose parent has left it; and stays.
int start_a_family(std::string report) {
  if (fork() == 0) report_and_stay_stubbornly(report);
  if (fork() == 0) {
    setsid();
    report_and_stay_stubbornly(report);
  }
  const pid_t parent = fork();
  if (parent == 0) {
    setsid();
    if (fork() == 0) report_and_stay_stubbornly(report);
    _exit(0);
  }
  waitpid(parent, nullptr, 0);
  return report_and_stay(report);
}

/// As many pids as processes report.
std::vector<int> read_pids(const fifo& report, std::size_t count) {
  std::vector<int> pids(count);
  // For writing, too: whoever opens it for reading only may close it on what a writer has just put into it.
  const int fd = open(report.path().c_str(), O_RDWR | O_CLOEXEC);
  for (int& pid : pids) {
    if (read(fd, &pid, sizeof pid) != sizeof pid) ADD_FAILURE() << "no pid from a task's process";
  }
  close(fd);
  return pids;
}

bool is_gone(int pid) { return kill(pid, 0) != 0; }

class End : public testing::TestWithParam<void (process_pool::*)()> {};

TEST_P(End, ResolvesWhatRunsAndWhatWaits) {
  process_pool pool({.max_workers = 2});
  const fifo report;
  auto done = pool.submit(tandem::test::add_one, 1);
  done.wait();
  std::vector<tandem::future<int>> running;
  for (int i = 0; i < 2; ++i) running.push_back(pool.submit(report_and_stay, report.path()));
  std::vector<tandem::future<int>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(pool.submit(tandem::test::add_one, i));
  const std::vector<int> pids = read_pids(report, 2);
  std::thread waiter([&] { running[0].wait(); });
  (pool.*GetParam())();
  waiter.join();
  for (auto* futures : {&running, &waiting}) {
    for (auto& f : *futures) {
      EXPECT_TRUE(f.cancelled());
      EXPECT_THROW(f.get(), tandem::cancelled_error);
    }
  }
  for (const int pid : pids) EXPECT_TRUE(is_gone(pid));
  EXPECT_EQ(done.get(), 2);
  EXPECT_EQ(pool.stats().workers, 0);
  EXPECT_EQ(pool.stats().cancelled, 22);
  EXPECT_THROW(pool.submit(tandem::test::add_one, 1), tandem::shutdown_error);
  (pool.*GetParam())();  // once more does nothing
  pool.shutdown();
}

// Whoever cancels first and kills later, or the other way round, has workers die in between.
TEST_P(End, CancelsWhatRunsHoweverSoonItsWorkerIsDead) {
  process_pool pool({.max_workers = 1});
  const fifo report;
  auto running = pool.submit(report_and_stay, report.path());
  auto waiting = pool.submit(tandem::test::add_one, 1);
  const int pid = read_pids(report, 1)[0];
  waiting.on_done([&] {
    while (!is_gone(pid) || pool.stats().workers != 0) sched_yield();
  });
  (pool.*GetParam())();
  EXPECT_THROW(running.get(), tandem::cancelled_error);
  EXPECT_EQ(pool.stats().failed, 0);
}

TEST_P(End, LeavesNothingThatTasksHaveStarted) {
  const fifo report;
  std::vector<int> pids;
  {
    process_pool pool({.max_workers = 1});
    auto family = pool.submit(start_a_family, report.path());
    pids = read_pids(report, 4);
    (pool.*GetParam())();
    for (const int pid : pids) EXPECT_TRUE(is_gone(pid));
    EXPECT_THROW(family.get(), tandem::cancelled_error);
  }
}

TEST_P(End, ComesToThoseWhoIgnoreSigterm) {
  process_pool pool({.max_workers = 1});
  const fifo report;
  auto stubborn = pool.submit(report_and_stay_stubbornly, report.path());
  const std::vector<int> pids = read_pids(report, 1);
  (pool.*GetParam())();
  EXPECT_TRUE(is_gone(pids[0]));
  EXPECT_THROW(stubborn.get(), tandem::cancelled_error);
}

TEST_P(End, IsRefusedWhereThePoolWouldWaitForItself) {
  process_pool pool({.max_workers = 1});
  const fifo gate;
  tandem::test::counter refused;
  auto f = pool.submit(tandem::test::pass, gate.path());
  f.on_done([&] {
    try {
      (pool.*GetParam())();
    } catch (const tandem::invalid_state_error&) {
      refused.add(1);
    }
  });
  gate.release();
  refused.wait_for(1);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

TEST_P(End, OfAPoolThatHasNoWorkersReturns) {
  process_pool pool({.max_workers = 1});
  (pool.*GetParam())();
  EXPECT_THROW(pool.submit(tandem::test::add_one, 1), tandem::shutdown_error);
}

TEST_P(End, ComesToAShutdownThatWaits) {
  process_pool pool({.max_workers = 1});
  const fifo report;
  auto f = pool.submit(report_and_stay, report.path());
  read_pids(report, 1);
  pool.shutdown({.wait = false});
  std::thread waiter([&] { pool.shutdown(); });
  (pool.*GetParam())();
  waiter.join();
  EXPECT_THROW(f.get(), tandem::cancelled_error);
}

std::atomic<int> here{0};  // 1: the task runs in this process, 2: it may end

int run_here() {
  here = 1;
  here.notify_all();
  here.wait(1);
  return 5;
}

TEST_P(End, AwaitsATaskThatRunsInItsSubmitter) {
  here = 0;
  process_pool pool({.max_workers = 1, .queue_capacity = 1, .when_full = tandem::when_full::run_in_caller});
  const fifo report;
  auto running = pool.submit(report_and_stay, report.path());
  read_pids(report, 1);
  auto waiting = pool.submit(tandem::test::add_one, 1);
  std::thread submitter([&] { EXPECT_EQ(pool.submit(run_here).get(), 5); });
  here.wait(0);
  std::atomic<bool> ended{false};
  std::thread ender([&] {
    (pool.*GetParam())();
    ended = true;
  });
  EXPECT_THROW(running.get(), tandem::cancelled_error);
  EXPECT_THROW(waiting.get(), tandem::cancelled_error);
  EXPECT_FALSE(ended);
  here = 2;
  here.notify_all();
  ender.join();
  submitter.join();
}

INSTANTIATE_TEST_SUITE_P(Ways, End, testing::Values(&process_pool::terminate, &process_pool::kill),
                         [](const auto& instance) {
                           return std::string(instance.index == 0 ? "Terminate" : "Kill");
                         });

int say_goodbye_at_sigterm(std::string report, std::string goodbye) {
  static std::string path;
  path = goodbye;
  std::signal(SIGTERM, [](int) { _exit(close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600))); });
  return report_and_stay(report);
}

TEST(Terminate, LeavesTimeToSayGoodbye) {
  const fifo report;
  const std::string goodbye = report.path() + ".goodbye";
  {
    process_pool pool({.max_workers = 1});
    pool.post(say_goodbye_at_sigterm, report.path(), goodbye);
    read_pids(report, 1);
    pool.terminate();
  }
  EXPECT_EQ(unlink(goodbye.c_str()), 0);
}

/// Leaves a process behind that ends when somebody opens the fifo.
int leave_an_orphan(std::string gate) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return -1;
  const pid_t parent = fork();
  if (parent == 0) {
    setsid();
    const pid_t orphan = fork();
    if (orphan == 0) {
      close(pipe_ends[0]);
      close(pipe_ends[1]);
      tandem::test::pass(gate);
      _exit(0);
    }
    const int pid = static_cast<int>(orphan);
    _exit(write(pipe_ends[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
  }
  waitpid(parent, nullptr, 0);
  int pid = -1;
  const bool told = read(pipe_ends[0], &pid, sizeof pid) == sizeof pid;
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  return told ? pid : -1;
}

TEST(Orphans, OfTasksLiveOnAndAreReaped) {
  process_pool pool({.max_workers = 1});
  const fifo gate;
  const int orphan = pool.submit(leave_an_orphan, gate.path()).get();
  ASSERT_GT(orphan, 0);
  EXPECT_FALSE(is_gone(orphan));
  gate.release();
  while (!is_gone(orphan)) sched_yield();  // a zombie would stay for ever
}

TEST(Orphans, OutliveAPoolThatIsShutDown) {
  const fifo gate;
  int orphan = 0;
  {
    process_pool pool({.max_workers = 1});
    orphan = pool.submit(leave_an_orphan, gate.path()).get();
    ASSERT_GT(orphan, 0);
  }
  EXPECT_FALSE(is_gone(orphan));
  gate.release();
  // Now it is init's to reap, at its leisure.
  const std::string stat = "/proc/" + std::to_string(orphan) + "/stat";
  while (!is_gone(orphan) && tandem::test::slurp(stat).find(") Z ") == std::string::npos) sched_yield();
}

}  // namespace
