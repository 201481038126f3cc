// The command line of tandem-compare: defaults, lists, and every refusal with its one line and its exit code.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "options.hpp"

namespace {

using compare::early_exit;
using compare::options;

std::variant<options, early_exit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "tandem-compare");
  return compare::parse_options(static_cast<int>(arguments.size()), arguments.data(), 2);
}

options accepted(const std::vector<const char*>& arguments) {
  auto result = parse(arguments);
  if (const auto* refused = std::get_if<early_exit>(&result)) {
    ADD_FAILURE() << refused->text;
    return {};
  }
  return std::get<options>(result);
}

// The message, after checking that it is one line and goes with exit code 2.
std::string refused(const std::vector<const char*>& arguments) {
  const auto result = parse(arguments);
  const auto* exit = std::get_if<early_exit>(&result);
  if (exit == nullptr) {
    ADD_FAILURE() << "was accepted";
    return {};
  }
  EXPECT_EQ(exit->code, 2);
  EXPECT_EQ(std::count(exit->text.begin(), exit->text.end(), '\n'), 1) << exit->text;
  EXPECT_TRUE(exit->text.starts_with("tandem-compare: ")) << exit->text;
  return exit->text;
}

testing::AssertionResult says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << part << "' is not in: " << text;
}

using names = std::vector<std::string>;

TEST(CompareOptions, DefaultsAreEverything) {
  const options wanted = accepted({});
  EXPECT_EQ(wanted.workloads, compare::workload_names());
  EXPECT_EQ(wanted.backends, compare::backend_names());
  EXPECT_EQ(wanted.workers, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(wanted.repeat, 5);
  EXPECT_EQ(wanted.fib_first, 25);
  EXPECT_EQ(wanted.fib_last, 34);
}

TEST(CompareOptions, DefaultWorkersReachTheUsableCpus) {
  EXPECT_EQ(compare::default_worker_counts(1), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(compare::default_worker_counts(4), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(compare::default_worker_counts(12), (std::vector<int>{1, 2, 3, 4, 8, 12}));
}

TEST(CompareOptions, NamesMayBeRepeatedOrListed) {
  EXPECT_EQ(accepted({"--backend", "tbb", "--backend", "thread"}).backends, (names{"thread", "tbb"}));
  EXPECT_EQ(accepted({"--backend", "tbb,thread,tbb"}).backends, (names{"thread", "tbb"}));
  EXPECT_EQ(accepted({"--workload", "sleep,fib"}).workloads, (names{"fib", "sleep"}));
}

TEST(CompareOptions, WorkersAreSortedAndUnique) {
  EXPECT_EQ(accepted({"--workers", "4,1,2,4"}).workers, (std::vector<int>{1, 2, 4}));
}

TEST(CompareOptions, QuickIsSmallerButYieldsToWhatIsGiven) {
  const options quick = accepted({"--quick"});
  EXPECT_LT(quick.delay, accepted({}).delay);
  EXPECT_LT(quick.latency, accepted({}).latency);
  EXPECT_LT(quick.directory_limit, accepted({}).directory_limit);
  const options given = accepted({"--quick", "--repeat", "7", "--delay", "1.5", "--latency", "0"});
  EXPECT_EQ(given.repeat, 7);
  EXPECT_EQ(given.delay, std::chrono::microseconds(1500));
  EXPECT_EQ(given.latency, std::chrono::microseconds(0));
}

TEST(CompareOptions, UnknownNamesAreRefusedWithTheKnownOnes) {
  const std::string workload = refused({"--workload", "sort"});
  EXPECT_TRUE(says(workload, "--workload"));
  EXPECT_TRUE(says(workload, "no workload is called 'sort'; there is fib, words, sleep, http"));
  EXPECT_TRUE(says(refused({"--backend", "gpu"}),
                   "no backend is called 'gpu'; there is inline, thread, process, tbb"));
  EXPECT_TRUE(says(refused({"--frobnicate"}), "--frobnicate"));
  EXPECT_TRUE(says(refused({"fib"}), "fib"));
}

TEST(CompareOptions, WorkersThatAreNoCountsAreRefused) {
  EXPECT_TRUE(says(refused({"--workers", "0"}), "'0' is not a number of workers from 1"));
  EXPECT_TRUE(says(refused({"--workers", "1,0,2"}), "'0'"));
  EXPECT_TRUE(says(refused({"--workers", "-2"}), "'-2'"));
  EXPECT_TRUE(says(refused({"--workers", "two"}), "'two'"));
  EXPECT_TRUE(says(refused({"--workers", "99999999999"}), "'99999999999'"));
}

TEST(CompareOptions, OtherNumbersOutOfRangeAreRefused) {
  EXPECT_TRUE(says(refused({"--repeat", "0"}), "'0' is not a number of runs"));
  EXPECT_TRUE(says(refused({"--pages", "0"}), "'0' is not a number of pages"));
  EXPECT_TRUE(says(refused({"--delay", "-1"}), "'-1' is not a number of milliseconds"));
  EXPECT_TRUE(says(refused({"--latency", "nan"}), "'nan' is not a number of milliseconds"));
}

TEST(CompareOptions, UnreadableDirectoriesAreRefused) {
  EXPECT_TRUE(says(refused({"--dir", "/no/such/place"}), "'/no/such/place' is not a directory"));
  EXPECT_TRUE(says(refused({"--dir", "/etc/passwd"}), "'/etc/passwd' is not a directory"));
}

TEST(CompareOptions, DirectoryMattersOnlyToWords) {
  EXPECT_EQ(accepted({"--workload", "fib", "--dir", "/no/such/place"}).directory, "/no/such/place");
}

TEST(CompareOptions, UnwritableFilesAreRefusedBeforeAnythingRuns) {
  EXPECT_TRUE(
      says(refused({"--json", "/no/such/place/report.json"}), "cannot write '/no/such/place/report.json'"));
  EXPECT_TRUE(says(refused({"--html", "/"}), "cannot write '/'"));
}

TEST(CompareOptions, CheckingAFileNeitherMakesNorEmptiesIt) {
  const std::filesystem::path directory = testing::TempDir();
  const std::string fresh = directory / "compare_options_fresh.json";
  const std::string old = directory / "compare_options_old.json";
  std::ofstream(old) << "kept";
  (void)accepted({"--json", fresh.c_str(), "--html", old.c_str()});
  EXPECT_FALSE(std::filesystem::exists(fresh));
  EXPECT_EQ(std::filesystem::file_size(old), 4U);
  std::filesystem::remove(old);
}

TEST(CompareOptions, HelpAndVersionExitWithZero) {
  const auto help = parse({"--help"});
  ASSERT_TRUE(std::holds_alternative<early_exit>(help));
  EXPECT_EQ(std::get<early_exit>(help).code, 0);
  for (const char* part : {"--workload", "--backend", "--workers", "--repeat", "--quick", "--json", "--html",
                           "--dir", "--delay", "--pages", "--latency", "Exit code"}) {
    EXPECT_TRUE(says(std::get<early_exit>(help).text, part));
  }
  const auto version = parse({"--version"});
  ASSERT_TRUE(std::holds_alternative<early_exit>(version));
  EXPECT_EQ(std::get<early_exit>(version).code, 0);
  EXPECT_TRUE(says(std::get<early_exit>(version).text, "tandem-compare "));
}

TEST(CompareOptions, HelpFitsItsColumns) {
  const auto help = parse({"--help"});
  std::istringstream lines(std::get<early_exit>(help).text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
}

}  // namespace
