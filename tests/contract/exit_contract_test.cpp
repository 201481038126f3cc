// The contract of the process's end: running tasks, static pools, submits in exit handlers. Each case is a run of
// exit_program.
#include <cstdio>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "contract/backends.hpp"

namespace tandem::contract {
namespace {

struct run {
  int status = -1;
  std::string output;
};

run exit_program(const std::string& backend, const std::string& what, const std::string& gate) {
  run r;
  const std::string command =
      std::string(TANDEM_EXIT_PROGRAM) + " " + backend + " " + what + " " + gate + " 2>&1";
  FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return r;
  char buffer[4096];
  while (const auto n = std::fread(buffer, 1, sizeof buffer, pipe)) r.output.append(buffer, n);
  r.status = pclose(pipe);
  return r;
}

template <class Backend>
class ProcessExit : public fixture<Backend> {
 protected:
  run program(const std::string& what) const { return exit_program(Backend::name, what, this->path("gate")); }
};
TYPED_TEST_SUITE(ProcessExit, backends, backend_names);

TYPED_TEST(ProcessExit, StaticPoolFinishesItsRunningTask) {
  const run r = this->program("static_pool_with_running_task");
  EXPECT_EQ(r.status, 0) << r.output;
  for (const char* line : {"task ends\n", "second task ends\n", "main ends\n"})
    EXPECT_NE(r.output.find(line), std::string::npos) << r.output;
}

TYPED_TEST(ProcessExit, ExitHandlerMaySubmit) {
  const run r = this->program("submit_in_exit_handler");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(r.output, "main ends\nhandler: 42\n");
}

TYPED_TEST(ProcessExit, ExitHandlerIsToldAfterShutdown) {
  const run r = this->program("submit_in_exit_handler_after_shutdown");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_NE(r.output.find("handler: tandem: submit on"), std::string::npos) << r.output;
  EXPECT_NE(r.output.find("after shutdown()"), std::string::npos) << r.output;
}

TYPED_TEST(ProcessExit, PoolThatNobodyDestroysKeepsNothing) {
  const run r = this->program("leaked_pool");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(r.output, "main ends\n");
}

TYPED_TEST(ProcessExit, QuickExitLeavesNothing) {
  const run r = this->program("quick_exit");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(r.output, "main ends\n");
}

}  // namespace
}  // namespace tandem::contract
