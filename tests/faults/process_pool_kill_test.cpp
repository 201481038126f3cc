// Workers that the pool kills on purpose: for a task that takes too long, or is cancelled. Only that task may notice.
#include "faults/tasks.hpp"
#include "support/processes.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <sstream>
#include <string>
#include <vector>

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

}  // namespace
