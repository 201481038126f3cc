// The program itself: exit codes, what goes to which stream, and the files it writes.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

struct outcome {
  int code = -1;
  std::string out;
  std::string err;
};

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class CompareCli : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = fs::path(testing::TempDir()) / (std::string("compare_cli_") + test->name());
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] outcome run(const std::string& arguments) const {
    const fs::path out = directory_ / "out";
    const fs::path err = directory_ / "err";
    const std::string command = "'" TANDEM_COMPARE_PROGRAM "' " + arguments + " >'" + out.string() + "' 2>'" +
                                err.string() + "' </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(out), contents(err)};
  }

  fs::path directory_;
};

TEST_F(CompareCli, WrongRequestsAreOneLineOnStderrAndExitCodeTwo) {
  for (const char* arguments : {"--workload sort", "--backend gpu", "--workers 0", "--dir /no/such/place",
                                "--json /no/such/place/x.json", "--html /no/such/place/x.html", "--what"}) {
    const outcome refused = run(arguments);
    EXPECT_EQ(refused.code, 2) << arguments;
    EXPECT_EQ(refused.out, "") << arguments;
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
  }
}

TEST_F(CompareCli, EmptyDirectoryIsAWrongRequest) {
  const outcome refused = run("--workload words --dir '" + directory_.string() + "/none'");
  EXPECT_EQ(refused.code, 2);
  fs::create_directories(directory_ / "none");
  const outcome empty = run("--workload words --dir '" + directory_.string() + "/none'");
  EXPECT_EQ(empty.code, 2);
  EXPECT_NE(empty.err.find("there are no files below"), std::string::npos) << empty.err;
}

TEST_F(CompareCli, HelpGoesToStdout) {
  const outcome help = run("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("Usage: tandem-compare"), std::string::npos);
  EXPECT_EQ(help.err, "");
}

TEST_F(CompareCli, RunsEveryBackendAndWritesBothReports) {
  const fs::path json = directory_ / "report.json";
  const fs::path html = directory_ / "report.html";
  const outcome done =
      run("--quick --workload fib --workload sleep --workers 1,2 --repeat 1 --delay 1 --json '" +
          json.string() + "' --html '" + html.string() + "'");
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.err, "") << "no progress bar where no one watches";
  for (const char* part : {"fib (CPU-bound)", "sleep (IO-bound)", "serial", "inline", "thread", "process",
                           "tbb", "All backends gave the same results."}) {
    EXPECT_NE(done.out.find(part), std::string::npos) << part;
  }
  const auto report = nlohmann::json::parse(contents(json));
  ASSERT_EQ(report["workloads"].size(), 2U);
  EXPECT_EQ(report["workloads"][0]["rows"].size(), 8U);
  EXPECT_NE(contents(html).find("<!DOCTYPE html>"), std::string::npos);
}

TEST_F(CompareCli, ReportThatCannotBeSavedIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  const outcome failed = run("--quick --workload fib --backend inline --repeat 1 --json /dev/full");
  EXPECT_EQ(failed.code, 2);
  EXPECT_NE(failed.err.find("cannot write '/dev/full'"), std::string::npos) << failed.err;
}

}  // namespace
