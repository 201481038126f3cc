// The contract of the process's end: running tasks, static pools, submits in exit handlers. Each case is a run of
// exit_program.
#include <cstdio>
#include <string>
#include <vector>

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

TYPED_TEST(ProcessExit, ForkedChildMayExit) {
  const run r = this->program("forked_child_exits");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(r.output.find("child: 3\n"), 0U) << r.output;
  EXPECT_NE(r.output.find("main ends\n"), std::string::npos) << r.output;
  if constexpr (TypeParam::concurrent) {
    const auto ran = r.output.find("task ends\n");
    ASSERT_NE(ran, std::string::npos) << r.output;
    EXPECT_EQ(r.output.find("task ends\n", ran + 1), std::string::npos) << "once: " << r.output;
  }
}

TYPED_TEST(ProcessExit, TaskMayExit) {
  std::vector<std::string> ways = {"quick_exit_in_task"};
  if constexpr (TypeParam::names_workers || !TypeParam::concurrent) {
    ways.emplace_back("exit_in_task");
  } else {
    // Threads that are not the pool's own: oneTBB does not survive exit() on one of them, with or without a pool. Till
    // then everything goes as elsewhere.
    const run r = this->program("exit_in_task");
    EXPECT_NE(r.output.find("destroyed by one of its own tasks"), std::string::npos) << r.output;
    EXPECT_EQ(r.output.find("main ends"), std::string::npos) << r.output;
  }
  for (const std::string& way : ways) {
    const run r = this->program(way);
    ASSERT_TRUE(WIFEXITED(r.status)) << way << ": " << r.output;
    EXPECT_EQ(WEXITSTATUS(r.status), 4) << way << ": " << r.output;
    EXPECT_EQ(r.output.find("worker: 4\n") != std::string::npos, !TypeParam::in_process) << r.output;
  }
}

TYPED_TEST(ProcessExit, DelayedAndRepeatedTasksHoldUpNothing) {
  const run r = this->program("delayed_tasks");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(r.output, "main ends\n");
}

TYPED_TEST(ProcessExit, StaticFuturesMayGoBeforeAndBehindTheirPool) {
  const run r = this->program("static_futures");
  EXPECT_EQ(r.status, 0) << r.output;
  EXPECT_EQ(r.output, "main ends\n");
}

}  // namespace
}  // namespace tandem::contract
