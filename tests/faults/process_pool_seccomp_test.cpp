// Where the kernel refuses a system call - it is old, or a container forbids it - a pool works without it, or its
// constructor says which one is missing and what to do (docs/kernel.md has the table).
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <tuple>

#include <sys/wait.h>

namespace {

struct ended {
  std::string text;
  int code = -1;
};

ended run(const std::string& call, int error) {
  ended result;
  const std::string command =
      std::string(TANDEM_SECCOMP_PARENT) + " " + call + " " + std::to_string(error) + " 2>&1";
  FILE* const output = popen(command.c_str(), "r");
  std::array<char, 512> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), output) != nullptr)
    result.text += line.data();
  const int status = pclose(output);
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  return result;
}

using denial = std::tuple<std::string, int>;

std::string name_of(const testing::TestParamInfo<denial>& info) {
  return std::get<0>(info.param) + (std::get<1>(info.param) == EPERM ? "_EPERM" : "_ENOSYS");
}

/// Calls that a pool can do without.
class OptionalCall : public testing::TestWithParam<denial> {};

TEST_P(OptionalCall, IsDoneWithout) {
#if defined(__SANITIZE_ADDRESS__)
  if (GetParam() == denial("sched_getaffinity", EPERM)) {
    GTEST_SKIP() << "AddressSanitizer itself cannot start a thread without it";
  }
#endif
  const ended program = run(std::get<0>(GetParam()), std::get<1>(GetParam()));
  if (program.code == 4) GTEST_SKIP() << program.text;
  EXPECT_EQ(program.code, 0) << program.text;
  EXPECT_NE(program.text.find("works"), std::string::npos) << program.text;
}

INSTANTIATE_TEST_SUITE_P(Denied, OptionalCall,
                         testing::Combine(testing::Values("none", "close_range", "pidfd_send_signal",
                                                          "sched_getaffinity", "mincore", "fallocate",
                                                          "signalfd4"),
                                          testing::Values(EPERM, ENOSYS)),
                         name_of);
// With EPERM the C library does not fall back, and no thread can be started, by nobody.
INSTANTIATE_TEST_SUITE_P(Unknown, OptionalCall, testing::Values(denial{"clone3", ENOSYS}), name_of);

/// Calls that a pool needs.
class NeededCall : public testing::TestWithParam<denial> {};

TEST_P(NeededCall, IsNamedByTheConstructor) {
  const auto [call, error] = GetParam();
  const ended program = run(call, error);
  if (program.code == 4) GTEST_SKIP() << program.text;
  EXPECT_EQ(program.code, 3) << program.text;
  const std::string name = call == "eventfd2" ? "eventfd" : call;
  EXPECT_NE(program.text.find(name), std::string::npos) << program.text;
  EXPECT_NE(program.text.find("docs/kernel.md"), std::string::npos) << program.text;
  EXPECT_NE(program.text.find("seccomp"), std::string::npos) << program.text;
}

INSTANTIATE_TEST_SUITE_P(Denied, NeededCall,
                         testing::Combine(testing::Values("pidfd_open", "memfd_create", "eventfd2",
                                                          "socketpair"),
                                          testing::Values(EPERM, ENOSYS)),
                         name_of);

}  // namespace
