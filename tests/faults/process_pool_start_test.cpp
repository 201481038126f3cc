// Workers that cannot be started, or die before they serve: tried again as long as there is hope.
#include "faults/tasks.hpp"
#include "support/process_gate.hpp"
#include "support/processes.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/resource.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::test::shared_counter;
using tandem::test::shared_gate;

// Initializers have no arguments: where the files are is in the environment, which the fork server gets at its start.
constexpr char arrived_variable[] = "TANDEM_TEST_ARRIVED";
constexpr char gate_variable[] = "TANDEM_TEST_GATE";

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void arrive_and_wait() {
  shared_counter(from_environment(arrived_variable)).add();
  shared_counter(from_environment(gate_variable)).wait_for(1);
}

int fork_server_of_this_process() {
  for (const auto& process : tandem::test::family(static_cast<int>(getpid()))) {
    if (process.command.find("--tandem-fork-server") != std::string::npos && process.parent != 0 &&
        process.state != 'Z')
      return process.pid;
  }
  return -1;
}

class Start : public testing::Test {
 protected:
  void SetUp() override {
    setenv(arrived_variable, (files / "arrived").c_str(), 1);
    setenv(gate_variable, gate.path().c_str(), 1);
  }
  tandem::test::scratch_directory files;
  shared_counter arrived{files / "arrived"};
  shared_gate gate{files / "gate"};
};

std::vector<tandem::future<int>> submit_eight(process_pool& pool) {
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < 8; ++i) tasks.push_back(pool.submit(tandem::test::add_one, i));
  return tasks;
}

void expect_eight(std::vector<tandem::future<int>>& tasks) {
  for (int i = 0; i < 8; ++i) EXPECT_EQ(tasks[static_cast<std::size_t>(i)].get(), i + 1);
}

TEST_F(Start, GoesOnWhenAllWorkersAreKilledWhileTheyStart) {
  process_pool pool({.max_workers = 8, .initializer = arrive_and_wait});
  auto tasks = submit_eight(pool);
  arrived.wait_for(8);
  for (const auto& row : pool.stats().per_worker) {
    if (row.pid > 0) kill(row.pid, SIGKILL);
  }
  arrived.wait_for(9);
  gate.open();
  expect_eight(tasks);
}

TEST_F(Start, GoesOnWhenTheForkServerIsKilledWhileWorkersStart) {
  process_pool pool({.max_workers = 8, .initializer = arrive_and_wait});
  auto tasks = submit_eight(pool);
  arrived.wait_for(8);
  kill(fork_server_of_this_process(), SIGKILL);
  arrived.wait_for(9);
  gate.open();
  expect_eight(tasks);
}

void block_all_but_the_first() {
  if (shared_counter(from_environment(arrived_variable)).add() == 1) return;
  shared_counter(from_environment(gate_variable)).wait_for(1);
}

TEST_F(Start, DoesNotKeepATaskForAWorkerThatStartsWhileAnotherIsIdle) {
  process_pool pool({.max_workers = 2, .initializer = block_all_but_the_first});
  const tandem::test::fifo held;
  auto first = pool.submit(tandem::test::pass, held.path());
  auto second = pool.submit(tandem::test::worker_pid);
  arrived.wait_for(2);  // the second worker is in its initializer, and the second task is meant for it
  held.release();
  EXPECT_EQ(first.get(), second.get());
  gate.open();  // the pool waits for that worker to leave
}

int meet(std::string arrived, int all) {
  shared_counter counter(arrived);
  counter.add();
  counter.wait_for(all);
  return 1;
}

TEST_F(Start, StartsHundredsOfWorkersAtOnce) {
  constexpr int many = 300;
  process_pool pool({.max_workers = many});
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < many; ++i) tasks.push_back(pool.submit(meet, files / "arrived", many));
  for (auto& task : tasks) EXPECT_EQ(task.get(), 1);  // each needs all the others at the same time
}

TEST_F(Start, TriesAgainWhenNoWorkerCanBeStartedForAMoment) {
  process_pool pool({.max_workers = 8});
  const int server = fork_server_of_this_process();
  ASSERT_GT(server, 0);
  rlimit before{};
  ASSERT_EQ(prlimit(server, RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{3, before.rlim_max};  // stdio; with fewer its poll would fail
  ASSERT_EQ(prlimit(server, RLIMIT_NOFILE, &none, nullptr), 0);
  auto tasks = submit_eight(pool);
  EXPECT_FALSE(tasks[0].wait_for(100ms));  // some rounds of trying
  ASSERT_EQ(prlimit(server, RLIMIT_NOFILE, &before, nullptr), 0);
  expect_eight(tasks);
}

TEST_F(Start, GivesUpWhenWorkersCanNeverBeStarted) {
  process_pool pool({.max_workers = 2});
  const int server = fork_server_of_this_process();
  ASSERT_GT(server, 0);
  rlimit limit{};
  ASSERT_EQ(prlimit(server, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = 3;
  ASSERT_EQ(prlimit(server, RLIMIT_NOFILE, &limit, nullptr), 0);
  testing::internal::CaptureStderr();
  auto task = pool.submit(tandem::test::add_one, 1);
  EXPECT_THROW(task.get(), tandem::broken_pool_error);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("no worker can be started"), std::string::npos);
}

}  // namespace
