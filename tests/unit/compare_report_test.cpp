// The comparison as text, JSON and a web page, and the progress bar: the same numbers, safely written.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "html_report.hpp"
#include "json_report.hpp"
#include "progress_bar.hpp"
#include "text_report.hpp"

namespace {

using compare::comparison;

comparison example() {
  comparison all{.workload = "fib", .kind = "CPU-bound", .description = "a </script> & b", .tasks = 10};
  all.rows.push_back(
      {.backend = "serial", .samples = {{.seconds = 0.2, .cpu_seconds = 0.2, .peak_bytes = 1048576}}});
  all.rows.push_back({.backend = "thread",
                      .workers = 2,
                      .samples = {{.seconds = 0.1, .start_seconds = 0.001, .cpu_seconds = 0.2},
                                  {.seconds = 0.12, .start_seconds = 0.001, .cpu_seconds = 0.2}}});
  summarize_rows(all);
  all.advice = {.row = 1, .text = "Use <thread>."};
  return all;
}

compare::machine somewhere() {
  compare::machine on;
  on.cpu = "A & B";
  on.commit = "0123abcd";
  on.date = "2020-01-01T00:00:00Z";
  return on;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(CompareText, ColumnsAreAlignedAndTheAdviceMarked) {
  const auto lines = lines_of(compare::text_report(example(), false, 100));
  ASSERT_GE(lines.size(), 7U);
  EXPECT_EQ(lines[0], "fib (CPU-bound): a </script> & b");
  EXPECT_EQ(lines[2],
            "  backend  workers  time/ms     +/-  speed-up  efficiency  CPU/s  tasks/s     peak    start");
  EXPECT_EQ(lines[3],
            "  serial         1   200.00       -     1.00x        100%  0.200       50  1.0 MiB        -");
  EXPECT_EQ(lines[4],
            "* thread         2   110.00  ±10.00     1.82x         91%  0.200       91        -  1.00 ms");
  EXPECT_EQ(lines[6], "  Use <thread>.");
}

TEST(CompareText, BoldIsOnlyWhereItIsWanted) {
  EXPECT_EQ(compare::text_report(example(), false, 100).find('\x1b'), std::string::npos);
  EXPECT_NE(compare::text_report(example(), true, 100).find("\x1b[1m* thread"), std::string::npos);
}

TEST(CompareText, ProseIsWrappedBetweenWords) {
  EXPECT_EQ(compare::wrap("one two three four", "  ", 11), "  one two\n  three\n  four\n");
  EXPECT_EQ(compare::wrap("unbreakable", "", 4), "unbreakable\n");
}

TEST(CompareJson, HoldsEveryRunAndTheAdvice) {
  const auto report = nlohmann::json::parse(compare::json_report({example()}, somewhere(), {}, 2));
  EXPECT_EQ(report["tool"], "tandem-compare");
  EXPECT_EQ(report["build"]["commit"], "0123abcd");
  const auto& fib = report["workloads"][0];
  EXPECT_EQ(fib["advice"]["backend"], "thread");
  EXPECT_EQ(fib["advice"]["workers"], 2);
  EXPECT_EQ(fib["rows"][1]["runs"].size(), 2U);
  EXPECT_DOUBLE_EQ(fib["rows"][1]["seconds"]["median"], 0.11);
  EXPECT_TRUE(fib["rows"][1]["peak_bytes"].is_null());
}

TEST(CompareJson, BytesThatAreNoUtf8DoNotBreakIt) {
  comparison odd = example();
  odd.description = "below /tmp/\xFF";
  EXPECT_TRUE(nlohmann::json::accept(compare::json_report({odd}, somewhere(), {}, -1)));
}

TEST(CompareHtml, IsOnePageThatNeedsNothingElse) {
  const std::string page = compare::html_report({example()}, somewhere(), {});
  for (const char* link : {" src=", "<link", "@import", "url("}) {
    EXPECT_EQ(page.substr(0, page.find("<script>")).find(link), std::string::npos) << link;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find("{{"), page.find("{{", page.find("<script>"))) << "a placeholder was left";
}

TEST(CompareHtml, TextIsEscaped) {
  const std::string page = compare::html_report({example()}, somewhere(), {});
  EXPECT_NE(page.find("a &lt;/script&gt; &amp; b"), std::string::npos);
  EXPECT_NE(page.find("Use &lt;thread&gt;."), std::string::npos);
  EXPECT_EQ(page.find("a </script>"), std::string::npos);
  EXPECT_NE(page.find("A &amp; B"), std::string::npos);
}

TEST(CompareHtml, SaysSoIfThereAreNoCharts) {
  const std::string page = compare::html_report({example()}, somewhere(), {});
  const bool charts = page.find("Chart.js v") != std::string::npos;
  EXPECT_EQ(page.find("<canvas") != std::string::npos, charts);
  EXPECT_EQ(page.find("There are no charts") != std::string::npos, !charts);
  EXPECT_EQ(page.find("Permission is hereby granted") != std::string::npos, charts);
}

TEST(CompareProgress, FillsFromEmptyToFull) {
  EXPECT_EQ(compare::bar_line(0, 4, 0, "fib", 50), "[........................] 0/4  0:00  fib         ");
  EXPECT_EQ(compare::bar_line(2, 4, 70, "fib", 50), "[############............] 2/4  1:10  fib         ");
  EXPECT_EQ(compare::bar_line(4, 4, 3600, "", 50), "[########################] 4/4  60:00             ");
}

TEST(CompareProgress, IsExactlyAsWideAsTheTerminal) {
  EXPECT_EQ(compare::bar_line(1, 3, 1, "a rather long name of a run", 40).size(), 40U);
  EXPECT_EQ(compare::bar_line(1, 3, 1, "x", 120).size(), 120U);
}

}  // namespace
