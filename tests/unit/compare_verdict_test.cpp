// Which row is advised, and that nothing is said that the numbers do not bear out.
#include "verdict.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace {

using compare::comparison;
using compare::row;

row measured(const char* backend, int workers, std::initializer_list<double> seconds, double cpu = 1) {
  row r{.backend = backend, .workers = workers};
  for (const double s : seconds) {
    r.samples.push_back(
        {.seconds = s, .start_seconds = r.backend == "process" ? 0.008 : 0.0001, .cpu_seconds = cpu});
  }
  return r;
}

comparison judged(std::initializer_list<row> rows, const char* kind = "CPU-bound", int cpus = 2) {
  comparison all{.kind = kind, .tasks = 10, .rows = rows};
  summarize_rows(all);
  all.advice = judge(all, cpus);
  return all;
}

std::string advised(const comparison& all) { return compare::row_label(all.rows[all.advice.row]); }

bool says(const comparison& all, const std::string& part) {
  return all.advice.text.find(part) != std::string::npos;
}

TEST(CompareVerdict, FastestOutsideTheSpreadWins) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {0.70, 0.71, 0.72}),
              measured("process", 2, {0.50, 0.51, 0.52})});
  EXPECT_EQ(advised(all), "process with 2 workers");
  EXPECT_TRUE(says(all, "1.98x as fast as serial")) << all.advice.text;
  EXPECT_TRUE(says(all, "thread with 2 workers takes 1.39x as long")) << all.advice.text;
  EXPECT_TRUE(says(all, "A crash costs one task only")) << all.advice.text;
}

TEST(CompareVerdict, ThreadsWinATieWithProcesses) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {0.51, 0.52, 0.53}),
              measured("process", 2, {0.50, 0.51, 0.52})});
  EXPECT_EQ(advised(all), "thread with 2 workers");
  EXPECT_TRUE(says(all, "process with 2 workers ties, and starts in 8.00 ms instead of 100 µs"))
      << all.advice.text;
}

TEST(CompareVerdict, FewerWorkersWinATie) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 1, {1.00, 1.01, 1.02}),
              measured("thread", 2, {0.51, 0.52, 0.53}), measured("thread", 3, {0.50, 0.51, 0.52})});
  EXPECT_EQ(advised(all), "thread with 2 workers");
  EXPECT_TRUE(says(all, "1 worker takes 1.94x as long")) << all.advice.text;
  EXPECT_TRUE(says(all, "more workers gain nothing with 2 usable CPUs")) << all.advice.text;
}

TEST(CompareVerdict, SerialStaysIfNothingIsFaster) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {1.00, 1.01, 1.03})});
  EXPECT_EQ(advised(all), "serial");
  EXPECT_TRUE(says(all, "Stay serial")) << all.advice.text;
  EXPECT_TRUE(says(all, "thread with 2 workers ties")) << all.advice.text;
}

TEST(CompareVerdict, SlowerBackendsAreCalledSlower) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {2.00, 2.02, 2.03})});
  EXPECT_EQ(advised(all), "serial");
  EXPECT_TRUE(says(all, "thread with 2 workers takes 2.00x as long")) << all.advice.text;
}

TEST(CompareVerdict, InlineIsNeverAdvised) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("inline", 1, {0.80, 0.81, 0.82}),
              measured("thread", 2, {1.00, 1.01, 1.03})});
  EXPECT_EQ(advised(all), "serial");
  EXPECT_TRUE(says(all, "thread with 2 workers ties")) << all.advice.text;
}

TEST(CompareVerdict, NothingButTheLoopStaysSerial) {
  EXPECT_EQ(advised(judged({measured("serial", 1, {1.0})})), "serial");
}

TEST(CompareVerdict, NoisyTieIsNotAReasonToBeMuchSlower) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {0.50, 0.55, 1.10})});
  EXPECT_EQ(advised(all), "thread with 2 workers");
  EXPECT_TRUE(says(all, "but serial is within the spread")) << all.advice.text;
  EXPECT_FALSE(says(all, "as fast as serial")) << all.advice.text;
}

TEST(CompareVerdict, FivePercentAreNotWorthAnotherBackend) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {0.965, 0.966, 0.967})});
  EXPECT_EQ(advised(all), "serial");
  EXPECT_TRUE(says(all, "thread with 2 workers takes 0.96x as long")) << all.advice.text;
}

TEST(CompareVerdict, FivePercentAreNotWorthAnotherWorker) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {0.500, 0.501, 0.502}),
              measured("thread", 3, {0.485, 0.486, 0.487}), measured("thread", 4, {0.8, 0.81, 0.82})});
  EXPECT_EQ(advised(all), "thread with 2 workers");
  EXPECT_TRUE(says(all, "more workers gain under 5% or are slower with 2 usable CPUs")) << all.advice.text;
}

TEST(CompareVerdict, WaitingWorkThatStillGainsSuggestsMoreWorkers) {
  const comparison all = judged(
      {measured("serial", 1, {1.00, 1.01, 1.02}, 0.01), measured("thread", 1, {1.00, 1.01, 1.02}, 0.01),
       measured("thread", 3, {0.33, 0.34, 0.35}, 0.01)},
      "IO-bound");
  EXPECT_EQ(advised(all), "thread with 3 workers");
  EXPECT_TRUE(says(all, "The work waits 99% of its time")) << all.advice.text;
  EXPECT_TRUE(says(all, "more may gain (--workers 6,12)")) << all.advice.text;
}

TEST(CompareVerdict, ComputingWorkSuggestsNoMoreWorkersThanCpus) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 1, {1.00, 1.01, 1.02}),
              measured("thread", 2, {0.50, 0.51, 0.52})});
  EXPECT_TRUE(says(all, "The work computes 100% of its time")) << all.advice.text;
  EXPECT_FALSE(says(all, "more may gain")) << all.advice.text;
}

TEST(CompareVerdict, OneRunEachIsSaidToProveLittle) {
  const comparison all = judged({measured("serial", 1, {1.0}), measured("thread", 2, {0.5})});
  EXPECT_TRUE(says(all, "One run each: repeat before relying on it")) << all.advice.text;
}

TEST(CompareVerdict, BusyMachineIsSaidToBeBusy) {
  comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("thread", 2, {0.50, 0.51, 0.52})});
  EXPECT_FALSE(says(all, "quieter machine")) << all.advice.text;
  all.others = 0.87;
  all.advice = judge(all, 2);
  EXPECT_TRUE(says(all, "other programs took 87% of the CPUs meanwhile")) << all.advice.text;
  EXPECT_TRUE(says(all, "The work is CPU-bound")) << all.advice.text;
  EXPECT_FALSE(says(all, "of its time")) << all.advice.text;
}

TEST(CompareVerdict, IsOneLine) {
  const comparison all =
      judged({measured("serial", 1, {1.00, 1.01, 1.02}), measured("inline", 1, {1.00, 1.01, 1.02}),
              measured("thread", 2, {0.51, 0.52, 0.53}), measured("process", 2, {0.6, 0.61, 0.62}),
              measured("tbb", 2, {0.51, 0.52, 0.53})});
  EXPECT_EQ(all.advice.text.find('\n'), std::string::npos);
  EXPECT_EQ(all.advice.text.find("  "), std::string::npos);
}

}  // namespace
