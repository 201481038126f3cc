// That the watchdog and the leak check bite: each case runs one deliberately bad test and looks at how it failed.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace {

struct outcome {
  int status = 0;
  std::string output;
};

outcome run_bad_test(const std::string& name, const std::string& environment = "") {
  const std::string command = environment + " " TANDEM_BAD_TESTS " --gtest_filter=Bad." + name + " 2>&1";
  outcome result;
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::array<char, 4096> buffer{};
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    result.output.append(buffer.data(), n);
  result.status = pclose(pipe);
  return result;
}

void expect_failure(const outcome& result, const std::string& message) {
  EXPECT_NE(result.status, 0) << result.output;
  EXPECT_NE(result.output.find(message), std::string::npos) << "no '" << message << "' in:\n"
                                                            << result.output;
}

TEST(LeakCheck, FindsDescriptor) { expect_failure(run_bad_test("LeavesDescriptor"), ": /dev/null"); }
TEST(LeakCheck, FindsThread) { expect_failure(run_bad_test("LeavesThread"), "\nthread "); }
TEST(LeakCheck, FindsChild) { expect_failure(run_bad_test("LeavesChild"), "\nprocess "); }
TEST(LeakCheck, FindsZombie) { expect_failure(run_bad_test("LeavesZombie"), "(zombie)"); }
TEST(LeakCheck, FindsDetachedGrandchild) {
  expect_failure(run_bad_test("LeavesDetachedGrandchild"), ": sleep 30");
}

TEST(LeakCheck, AllowsWhatIsLeftOnPurpose) {
  const outcome result = run_bad_test("LeavesOnPurpose");
  EXPECT_EQ(result.status, 0) << result.output;
}

TEST(Watchdog, PrintsStacksAndChildrenOfHungTestAndKillsThem) {
  const outcome result = run_bad_test("Hangs", "TANDEM_TEST_TIMEOUT=1");
  expect_failure(result, "Bad.Hangs did not end within");
  expect_failure(result, "function_that_never_returns");
  expect_failure(result, "sleep 300");
  expect_failure(result, "FAILED by timeout");
}

TEST(Watchdog, PrintsStacksWithoutGdb) {
  const outcome result = run_bad_test("Hangs", "PATH=/nowhere TANDEM_TEST_TIMEOUT=1");
  expect_failure(result, "libc.so.6(pause");
  expect_failure(result, "FAILED by timeout");
}

}  // namespace
