// Medians, spreads, ties, and numbers as text: what every claim of tandem-compare rests on.
#include <gtest/gtest.h>

#include "format.hpp"
#include "measurement.hpp"
#include "statistics.hpp"

namespace {

using compare::spread;
using compare::summarize;
using compare::ties;

TEST(CompareStatistics, MedianOfOddRunsIsTheMiddleOne) { EXPECT_DOUBLE_EQ(summarize({5, 1, 3}).median, 3); }

TEST(CompareStatistics, MedianOfEvenRunsLiesBetweenTheMiddleTwo) {
  EXPECT_DOUBLE_EQ(summarize({4, 1, 3, 2}).median, 2.5);
}

TEST(CompareStatistics, NoRunsAreAllZeros) {
  const spread none = summarize({});
  EXPECT_EQ(none.runs, 0);
  EXPECT_DOUBLE_EQ(none.median, 0);
}

TEST(CompareStatistics, SpreadOfFewRunsIsAllOfThem) {
  const spread few = summarize({1, 2, 9});
  EXPECT_DOUBLE_EQ(few.low, 1);
  EXPECT_DOUBLE_EQ(few.high, 9);
  EXPECT_DOUBLE_EQ(few.half_width(), 4);
}

TEST(CompareStatistics, SpreadOfFiveRunsLeavesOutTheOutlier) {
  const spread five = summarize({10, 11, 12, 13, 90});
  EXPECT_DOUBLE_EQ(five.low, 11);
  EXPECT_DOUBLE_EQ(five.high, 13);
}

TEST(CompareStatistics, TouchingSpreadsTie) {
  EXPECT_TRUE(ties(summarize({1.0, 1.2, 1.4}), summarize({1.4, 1.5, 1.6})));
  EXPECT_FALSE(ties(summarize({1.0, 1.2, 1.4}), summarize({1.5, 1.6, 1.7})));
}

TEST(CompareStatistics, MediansBelowTheResolutionTie) {
  EXPECT_TRUE(ties(summarize({1.000, 1.001, 1.002}), summarize({1.010, 1.011, 1.012})));
}

TEST(CompareStatistics, SingleRunsTieWithinTenPercent) {
  EXPECT_TRUE(ties(summarize({1.0}), summarize({1.08})));
  EXPECT_FALSE(ties(summarize({1.0}), summarize({1.2})));
}

TEST(CompareMeasurement, RowsAreMeasuredAgainstTheSerialMedian) {
  compare::comparison all{.tasks = 10};
  all.rows.push_back({.backend = "serial", .samples = {{.seconds = 4}, {.seconds = 6}, {.seconds = 5}}});
  all.rows.push_back({.backend = "thread", .workers = 4, .samples = {{.seconds = 2, .cpu_seconds = 1}}});
  summarize_rows(all);
  EXPECT_DOUBLE_EQ(all.rows[0].speedup, 1);
  EXPECT_DOUBLE_EQ(all.rows[1].speedup, 2.5);
  EXPECT_DOUBLE_EQ(all.rows[1].efficiency, 0.625);
  EXPECT_DOUBLE_EQ(all.rows[1].tasks_per_second, 5);
  EXPECT_DOUBLE_EQ(all.rows[1].cpu_seconds, 1);
}

TEST(CompareMeasurement, PeakIsUnknownIfItWasUnknownInOneRun) {
  compare::comparison all;
  all.rows.push_back({.backend = "serial", .samples = {{.seconds = 1, .peak_bytes = 8}, {.seconds = 1}}});
  summarize_rows(all);
  EXPECT_FALSE(all.rows[0].peak_bytes.has_value());
}

TEST(CompareMeasurement, RowsWithoutWorkersAreCalledByTheirBackend) {
  EXPECT_EQ(compare::row_label({.backend = "serial"}), "serial");
  EXPECT_EQ(compare::row_label({.backend = "inline"}), "inline");
  EXPECT_EQ(compare::row_label({.backend = "thread", .workers = 1}), "thread with 1 worker");
  EXPECT_EQ(compare::row_label({.backend = "process", .workers = 3}), "process with 3 workers");
}

TEST(CompareFormat, DurationsChooseTheirUnit) {
  EXPECT_EQ(compare::duration(2.345), "2.35 s");
  EXPECT_EQ(compare::duration(0.0831), "83.1 ms");
  EXPECT_EQ(compare::duration(0.831), "831 ms");
  EXPECT_EQ(compare::duration(0.0000042), "4.20 µs");
}

TEST(CompareFormat, CountsAreGroupedByThousands) {
  EXPECT_EQ(compare::grouped(0), "0");
  EXPECT_EQ(compare::grouped(999), "999");
  EXPECT_EQ(compare::grouped(1000), "1,000");
  EXPECT_EQ(compare::grouped(-1234567), "-1,234,567");
  EXPECT_EQ(compare::counted(1, "page", "pages"), "1 page");
  EXPECT_EQ(compare::counted(2000, "page", "pages"), "2,000 pages");
}

TEST(CompareFormat, WaitsAreWrittenAsGiven) {
  EXPECT_EQ(compare::milliseconds(std::chrono::microseconds(25'000)), "25 ms");
  EXPECT_EQ(compare::milliseconds(std::chrono::microseconds(500)), "0.5 ms");
  EXPECT_EQ(compare::milliseconds(std::chrono::microseconds(0)), "0 ms");
}

TEST(CompareFormat, BytesUseBinaryUnits) {
  EXPECT_EQ(compare::bytes(512), "512 B");
  EXPECT_EQ(compare::bytes(12.4 * 1024 * 1024), "12.4 MiB");
  EXPECT_EQ(compare::bytes(300.0 * 1024 * 1024), "300 MiB");
}

}  // namespace
