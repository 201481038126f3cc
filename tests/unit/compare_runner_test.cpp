// Running workloads on executors: every backend agrees with the plain loop, a difference is an error, and what a run
// costs is measured.
#include "runner.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "backend.hpp"
#include "usage_meter.hpp"

namespace {

using compare::comparison;
using compare::options;
using compare::results;

compare::progress_bar quiet() { return {1, false}; }

options small(const std::string& workload) {
  options wanted;
  wanted.workloads = {workload};
  wanted.backends = compare::backend_names();
  wanted.workers = {1, 3};
  wanted.repeat = 2;
  wanted.fib_first = 10;
  wanted.fib_last = 20;
  wanted.sleep_tasks = 4;
  wanted.delay = wanted.latency = std::chrono::milliseconds(1);
  wanted.pages = 5;
  return wanted;
}

class CompareWorkload : public testing::TestWithParam<const char*> {};

TEST_P(CompareWorkload, GivesTheSameResultsOnEveryBackend) {
  // A directory of its own: the cases may run side by side.
  const std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) / (std::string("compare_runner_") + GetParam());
  std::filesystem::create_directories(directory);
  for (int n = 0; n < 5; ++n) std::ofstream(directory / std::to_string(n)) << "some words and " << n;
  options wanted = small(GetParam());
  wanted.directory = directory;

  const auto work = compare::make_workload(GetParam(), wanted);
  EXPECT_EQ(work->name(), GetParam());
  auto progress = quiet();
  const comparison all = compare::run_workload(*work, wanted, progress);
  ASSERT_EQ(all.rows.size(), 8U);
  EXPECT_EQ(all.rows[0].backend, "serial");
  EXPECT_EQ(all.rows[1].backend, "inline");
  EXPECT_GT(all.tasks, 0);
  for (const compare::row& r : all.rows) {
    EXPECT_EQ(r.samples.size(), 2U) << compare::row_label(r);
    EXPECT_GT(r.time.median, 0) << compare::row_label(r);
  }
  std::filesystem::remove_all(directory);
}

INSTANTIATE_TEST_SUITE_P(All, CompareWorkload, testing::Values("fib", "words", "sleep", "http"),
                         [](const auto& each) { return std::string(each.param); });

long plus_one(long n) { return n + 1; }
long refuse(long n) { throw std::runtime_error("no " + std::to_string(n)); }

// Serial says 2; tasks say what the given function makes of 1.
class fixed_workload final : public compare::workload {
 public:
  fixed_workload(long (*function)(long), long expected) : function_(function), expected_(expected) {}
  [[nodiscard]] std::string name() const override { return "fixed"; }
  [[nodiscard]] std::string kind() const override { return "CPU-bound"; }
  [[nodiscard]] std::string description() const override { return "one task"; }
  [[nodiscard]] int tasks() const override { return 1; }
  [[nodiscard]] results run_serial() override { return {{"answer", expected_}}; }
  [[nodiscard]] results run_on(tandem::executor& pool) override {
    return {{"answer", pool.submit(function_, 1L).get()}};
  }

 private:
  long (*function_)(long);
  long expected_;
};

std::string failure_of(long (*function)(long), long expected, const char* backend) {
  options wanted = small("fib");
  wanted.backends = {backend};
  fixed_workload work(function, expected);
  auto progress = quiet();
  try {
    (void)compare::run_workload(work, wanted, progress);
  } catch (const compare::wrong_result& wrong) {
    return wrong.what();
  }
  return "no failure";
}

TEST(CompareRunner, AgreementIsNoFailure) { EXPECT_EQ(failure_of(plus_one, 2, "thread"), "no failure"); }

TEST(CompareRunner, ADifferenceNamesWhereAndWhat) {
  EXPECT_EQ(failure_of(plus_one, 7, "thread"),
            "fixed on thread with 1 worker: answer is 2, not 7 as in the first serial run");
  EXPECT_EQ(failure_of(plus_one, 7, "inline"),
            "fixed on inline: answer is 2, not 7 as in the first serial run");
}

TEST(CompareRunner, AFailedTaskNamesWhereAndWhat) {
  EXPECT_EQ(failure_of(refuse, 2, "tbb"), "fixed on tbb with 1 worker: no 1");
}

TEST(CompareRunner, FirstDifferenceCoversMissingAndExtraNames) {
  EXPECT_EQ(compare::first_difference({{"a", 1}}, {{"a", 1}}), "");
  EXPECT_EQ(compare::first_difference({{"a", 1}, {"b", 2}}, {{"a", 1}}), "b is missing, not 2");
  EXPECT_EQ(compare::first_difference({{"a", 1}}, {{"a", 1}, {"b", 2}}), "b is 2, and should not be there");
}

// Computes until `seconds` of processor time are used, however busy the machine is.
long burn(long milliseconds) {
  const std::clock_t until = std::clock() + milliseconds * CLOCKS_PER_SEC / 1000;
  long rounds = 0;
  while (std::clock() < until) ++rounds;
  return rounds > 0 ? 1 : 0;
}

TEST(CompareUsage, CountsProcessorTimeOfThisProcess) {
  const compare::usage_meter meter({});
  burn(60);
  const double used = meter.finish({}).cpu_seconds;
  EXPECT_GE(used, 0.05);
  EXPECT_LE(used, 0.5);
}

TEST(CompareUsage, CountsProcessorTimeOfWorkerProcesses) {
  const auto pool = compare::make_executor("process", 1);
  pool->submit(plus_one, 1L).get();
  const auto pids = compare::worker_pids(*pool);
  ASSERT_EQ(pids.size(), 1U);
  const compare::usage_meter meter(pids);
  pool->submit(burn, 60L).get();
  EXPECT_GE(meter.finish(compare::worker_pids(*pool)).cpu_seconds, 0.05);
}

TEST(CompareUsage, WhatOthersTakeIsAPartOfTheMachine) {
  const compare::machine_meter meter;
  burn(60);
  const double all = meter.others(0);
  EXPECT_GT(all, 0);
  EXPECT_LE(all, 1);
  EXPECT_EQ(meter.others(1000), 0);
}

TEST(CompareUsage, ThreadsOfThisProcessAreNoWorkerProcesses) {
  const auto pool = compare::make_executor("thread", 2);
  pool->submit(plus_one, 1L).get();
  EXPECT_TRUE(compare::worker_pids(*pool).empty());
}

TEST(CompareUsage, PeakGrowsWithWhatIsTouched) {
  constexpr std::size_t size = std::size_t{64} << 20;
  const compare::usage_meter small_meter({});
  const auto before = small_meter.finish({}).peak_bytes;
  if (!before) GTEST_SKIP() << "the kernel does not tell peak memory";
  const compare::usage_meter meter({});
  {
    const std::vector<char> block(size, 'x');
    EXPECT_EQ(block.back(), 'x');
  }
  EXPECT_GE(*meter.finish({}).peak_bytes, *before + 0.9 * size);
}

}  // namespace
