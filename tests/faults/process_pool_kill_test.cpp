// Workers that the pool kills on purpose: for a task that takes too long, or is cancelled. Only that task may notice.
#include "faults/tasks.hpp"
#include "support/process_gate.hpp"
#include "support/processes.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;

/// So many short tasks that the pool trusts the next ones to be short, too, and lets them wait in the ring.
void fill_rings_from_now_on(process_pool& pool) {
  for (int round = 0; round < 20; ++round)
    pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(50));
}

/// Ends when it is told to die, within the time of grace.
int outlive_term(std::string started) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, nullptr);
  tandem::test::pass(started);
  int received = 0;
  sigwait(&term, &received);
  return 0;
}

TEST(ProcessPool, SparesTasksBehindOneThatIsCancelledWhileItRuns) {
  process_pool pool({.max_workers = 1, .kill_on_cancel = true});
  fill_rings_from_now_on(pool);
  const int doomed = pool.submit(tandem::test::worker_pid).get();
  const tandem::test::fifo started;
  auto running = pool.submit(outlive_term, started.path());
  std::vector<tandem::future<int>> behind;
  for (int i = 0; i < 100; ++i) behind.push_back(pool.submit(tandem::test::worker_pid));
  started.release();
  EXPECT_TRUE(running.cancel());
  for (auto& f : behind) EXPECT_NE(f.get(), doomed);
}

/// Does not listen to SIGTERM, and goes on when the test says so.
int ignore_term_until(std::string started, std::string gate) {
  std::signal(SIGTERM, SIG_IGN);
  tandem::test::pass(started);
  tandem::test::shared_counter(gate).wait_for(1);
  return 0;
}

/// Lives longer than that process; for ever, if it runs in it.
int outlive(int pid) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd >= 0) {
    pollfd entry{pidfd, POLLIN, 0};
    poll(&entry, 1, -1);
    close(pidfd);
  }
  return tandem::test::worker_pid();
}

TEST(ProcessPool, TaskThatComesBehindACancelDoesNotGetTheWorkerThatIsToDie) {
  process_pool pool({.max_workers = 1, .kill_on_cancel = true});
  fill_rings_from_now_on(pool);
  const int doomed = pool.submit(tandem::test::worker_pid).get();
  const tandem::test::fifo started;
  const tandem::test::scratch_directory files;
  tandem::test::shared_gate go_on(files / "go_on");
  auto running = pool.submit(ignore_term_until, started.path(), go_on.path());
  started.release();
  EXPECT_TRUE(running.cancel());
  auto next = pool.submit(outlive, doomed);
  go_on.open();  // before the time of grace is over
  EXPECT_NE(next.get(), doomed);
}

TEST(ProcessPool, SparesTasksBehindOneThatTakesTooLong) {
  process_pool pool({.max_workers = 1});
  fill_rings_from_now_on(pool);
  const int doomed = pool.submit(tandem::test::worker_pid).get();
  const tandem::test::fifo started;
  auto late = pool.submit({.timeout = 50ms}, outlive_term, started.path());
  std::vector<tandem::future<int>> behind;
  for (int i = 0; i < 100; ++i) behind.push_back(pool.submit(tandem::test::worker_pid));
  started.release();
  EXPECT_THROW(late.get(), tandem::timeout_error);
  for (auto& f : behind) EXPECT_NE(f.get(), doomed);
}

/// CPU time of the threads called "tandem-manager".
std::chrono::nanoseconds manager_time() {
  std::chrono::nanoseconds sum{0};
  for (const auto& [id, name] : tandem::test::threads()) {
    if (name != "tandem-manager") continue;
    std::istringstream words(tandem::test::slurp("/proc/self/task/" + std::to_string(id) + "/schedstat"));
    long long nanoseconds = 0;
    words >> nanoseconds;
    sum += std::chrono::nanoseconds(nanoseconds);
  }
  return sum;
}

int ignore_term_and_wait(std::string path) {
  std::signal(SIGTERM, SIG_IGN);
  return tandem::test::pass(path);
}

TEST(ProcessPool, SleepsWhileAWorkerHasItsTimeOfGrace) {
  process_pool pool({.max_workers = 1});
  const tandem::test::fifo gate;
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
  const auto before = manager_time();
  auto stubborn = pool.submit({.timeout = 20ms}, ignore_term_and_wait, gate.path());
  EXPECT_THROW(stubborn.get(), tandem::timeout_error);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);  // by the next worker, after 250 ms
  EXPECT_LT(manager_time() - before, 100ms);
}

enum class end_of_parent { waits, aborts };

/// Leaves a child in the background, which does not listen to SIGTERM, and tells the test its number.
int start_a_child(std::string file, std::string written, end_of_parent how) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGTERM, SIG_IGN);
    for (;;) pause();
  }
  std::ofstream(file) << child;
  tandem::test::pass(written);
  if (how == end_of_parent::aborts) std::abort();
  for (;;) pause();
}

class Children : public testing::TestWithParam<end_of_parent> {};

TEST_P(Children, GoWithTheWorkerOfTheTaskThatStartedThem) {
  process_pool pool({.max_workers = 1});
  const tandem::test::scratch_directory files;
  const tandem::test::fifo written;
  auto task = pool.submit({.timeout = 100ms}, start_a_child, files / "child", written.path(), GetParam());
  written.release();
  pid_t child = 0;
  std::ifstream(files / "child") >> child;
  ASSERT_GT(child, 0);
  EXPECT_NE(task.exception(), nullptr);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (pidfd < 0) return;  // it is gone already
  pollfd entry{pidfd, POLLIN, 0};
  EXPECT_EQ(poll(&entry, 1, 10000), 1) << "the child lives on";
  close(pidfd);
}

INSTANTIATE_TEST_SUITE_P(Ways, Children, testing::Values(end_of_parent::waits, end_of_parent::aborts));

int leave_the_group() {
  if (setpgid(0, getpgid(getppid())) != 0) return -1;
  for (;;) pause();
}

TEST(ProcessPool, KillsAWorkerWhoseTaskHasLeftItsProcessGroup) {
  process_pool pool({.max_workers = 1});
  EXPECT_THROW(pool.submit({.timeout = 50ms}, leave_the_group).get(), tandem::timeout_error);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

}  // namespace
