// Deliberately bad tests: each does one thing that the watchdog or the leak check must find. support_test runs
// them one by one and looks at how they fail.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "support/leak_check.hpp"

namespace {

using namespace std::chrono_literals;

TEST(Bad, LeavesDescriptor) { ASSERT_GE(open("/dev/null", O_RDONLY | O_CLOEXEC), 0); }

TEST(Bad, LeavesThread) {
  tandem::test::set_leak_patience(100ms);
  std::thread([] { pause(); }).detach();
}

TEST(Bad, LeavesChild) {
  tandem::test::set_leak_patience(100ms);
  if (fork() == 0) {
    alarm(30);
    pause();
    _exit(0);
  }
}

TEST(Bad, LeavesZombie) {
  if (fork() == 0) _exit(0);
}

TEST(Bad, LeavesDetachedGrandchild) {
  tandem::test::set_leak_patience(100ms);
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) execl("/bin/sleep", "sleep", "30", static_cast<char*>(nullptr));
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

TEST(Bad, LeavesOnPurpose) {
  tandem::test::allow_leaks("on purpose");
  ASSERT_GE(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
}

[[gnu::noinline]] void function_that_never_returns() {
  for (;;) pause();
}

TEST(Bad, Hangs) {
  if (fork() == 0) {
    execl("/bin/sleep", "sleep", "300", static_cast<char*>(nullptr));
    _exit(1);
  }
  function_that_never_returns();
}

}  // namespace
