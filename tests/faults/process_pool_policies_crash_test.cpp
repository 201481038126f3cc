// What is told of a crash: where it happened, over which task, at which attempt.
#include "faults/tasks.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// Names that a stack is looked through for.
namespace crash_site {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool handles_faults = true;  // AddressSanitizer does it itself, and exits
#else
constexpr bool handles_faults = false;
#endif

// Hidden from the optimizer.
int* volatile nowhere = nullptr;
volatile int zero = 0;
int (*volatile nothing)() = nullptr;

[[gnu::noinline]] int write_nowhere() {
  *nowhere = 1;
  return 0;
}

[[gnu::noinline]] int divide() { return 1000 / zero; }

[[gnu::noinline]] int trap() { __builtin_trap(); }

[[gnu::noinline]] int touch_behind_the_end_of_a_file() {
  char path[] = "/tmp/tandem-test-XXXXXX";
  const int fd = mkstemp(path);
  unlink(path);
  auto* const bytes = static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0));
  return bytes[0];
}

[[gnu::noinline]] int give_up() { std::abort(); }

// What an instruction does not repeat, and abort() not insist upon.
[[gnu::noinline]] int send_itself_a_signal() { return std::raise(SIGSEGV) + zero; }

[[gnu::noinline]] void throw_one() { throw 1; }
[[gnu::noinline]] int fail_an_exception_specification() noexcept {
  throw_one();
  return 0;
}

[[gnu::noinline]] int call_nothing() { return nothing() + 1; }

[[gnu::noinline]] int recurse(volatile char* from) {
  volatile char frame[4096];
  frame[0] = *from;
  return *from == 1 ? 0 : recurse(frame) + frame[0];  // it never is 1
}

int crash(std::string how) {
  if (how == "null") return write_nowhere();
  if (how == "divide") return divide();
  if (how == "trap") return trap();
  if (how == "bus") return touch_behind_the_end_of_a_file();
  if (how == "abort") return give_up();
  if (how == "raise") return send_itself_a_signal();
  if (how == "terminate") return fail_an_exception_specification();
  if (how == "call") return call_nothing();
  if (how == "recurse") {
    volatile char first = 0;
    return recurse(&first);
  }
  return 0;
}

int crash_in_a_thread(std::string how) {
  std::thread([how] { crash(how); }).join();
  return 0;
}

/// A child's crash is not the worker's.
int let_a_child_crash_first(std::string how) {
  const pid_t child = fork();
  if (child == 0) {
    give_up();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WTERMSIG(status) == SIGABRT ? crash(how) : 0;
}

[[noreturn]] void end_with_42(int) { _exit(42); }

int crash_with_a_handler(std::string how) {
  std::signal(SIGABRT, end_with_42);
  return crash(how);
}

int crash_without_a_handler(std::string how) {
  std::signal(SIGABRT, SIG_DFL);
  return crash(how);
}

int say_and_crash(std::string how) {
  std::cout << "all of a line\n";
  std::cerr << "last "
            << "words";
  return crash(how);
}

}  // namespace crash_site

namespace {

using tandem::process_pool;
using tandem::worker_death;
using tandem::worker_died_error;

bool mentions(const std::vector<std::string>& stack, const std::string& what) {
  return std::any_of(stack.begin(), stack.end(),
                     [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

std::string text(const std::vector<std::string>& stack) {
  std::string all;
  for (const std::string& line : stack) all += line + "\n";
  return all;
}

/// The error of a task that must die.
template <class F, class How>
std::optional<worker_died_error> death_of(process_pool& pool, F f, How how) {
  try {
    pool.submit({.name = "last words"}, f, how).get();
    ADD_FAILURE() << "the task is said to have survived";
  } catch (const worker_died_error& e) {
    return e;
  }
  return std::nullopt;
}

struct crash {
  std::string how;
  int signal;
  std::string function;
};

class Crash : public testing::TestWithParam<crash> {};

TEST_P(Crash, TellsTheCallsThatLedToIt) {
  const auto& [how, signal, function] = GetParam();
  if (crash_site::handles_faults && signal != SIGABRT) GTEST_SKIP() << "AddressSanitizer handles it";
  process_pool pool({.max_workers = 1});
  const auto error = death_of(pool, crash_site::crash, how);
  ASSERT_TRUE(error);
  const worker_death& death = error->death();
  EXPECT_EQ(death.signal, signal) << error->what();
  EXPECT_EQ(death.exit_code, -1);
  EXPECT_EQ(death.pid, error->pid());
  EXPECT_EQ(death.task, "last words");
  EXPECT_EQ(death.attempt, 1);
  EXPECT_EQ(death.phase, tandem::worker_phase::running);
  EXPECT_FALSE(death.killed_by_pool);
  EXPECT_GT(death.peak_memory, 100'000U);
  EXPECT_TRUE(mentions(death.stack, "crash_site::" + function)) << text(death.stack);
  EXPECT_NE(std::string(error->what()).find("crash_site::" + function), std::string::npos) << error->what();
  // Not what the worker does with any task.
  EXPECT_FALSE(mentions(death.stack, "tandem::process")) << text(death.stack);
}

std::vector<crash> crashes() {
  std::vector<crash> all{{"null", SIGSEGV, "write_nowhere()"},
                         {"trap", SIGILL, "trap()"},
                         {"bus", SIGBUS, "touch_behind_the_end_of_a_file()"},
                         {"abort", SIGABRT, "give_up()"},
                         {"raise", SIGSEGV, "send_itself_a_signal()"},
                         {"terminate", SIGABRT, "fail_an_exception_specification()"},
                         {"call", SIGSEGV, "call_nothing()"},
                         {"recurse", SIGSEGV, "recurse(char"}};
#if defined(__x86_64__)
  all.push_back({"divide", SIGFPE, "divide()"});  // others have no trap for it
#endif
  return all;
}

INSTANTIATE_TEST_SUITE_P(Ways, Crash, testing::ValuesIn(crashes()),
                         [](const auto& instance) { return instance.param.how; });

TEST(CrashStack, TellsARecursionOnce) {
  if (crash_site::handles_faults) GTEST_SKIP() << "AddressSanitizer handles it";
  process_pool pool({.max_workers = 1});
  const auto error = death_of(pool, crash_site::crash, std::string("recurse"));
  ASSERT_TRUE(error);
  EXPECT_LT(error->death().stack.size(), 5U) << error->what();
  EXPECT_TRUE(mentions(error->death().stack, "more of the same function")) << error->what();
}

TEST(CrashStack, IsThatOfTheThreadThatCrashed) {
  process_pool pool({.max_workers = 1});
  const auto error = death_of(pool, crash_site::crash_in_a_thread, std::string("abort"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->signal(), SIGABRT);
  EXPECT_TRUE(mentions(error->death().stack, "crash_site::give_up()")) << error->what();
}

TEST(CrashStack, IsNotThatOfAForkedChild) {
  process_pool pool({.max_workers = 1});
  const auto error = death_of(pool, crash_site::let_a_child_crash_first, std::string("terminate"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->signal(), SIGABRT);
  EXPECT_TRUE(mentions(error->death().stack, "fail_an_exception_specification")) << error->what();
  EXPECT_FALSE(mentions(error->death().stack, "give_up")) << error->what();
}

TEST(CrashStack, LeavesTheSignalToATasksOwnHandler) {
  process_pool pool({.max_workers = 1});
  const auto handled = death_of(pool, crash_site::crash_with_a_handler, std::string("abort"));
  ASSERT_TRUE(handled);
  EXPECT_EQ(handled->exit_code(), 42);
  EXPECT_TRUE(handled->death().stack.empty()) << handled->what();
  const auto unhandled = death_of(pool, crash_site::crash_without_a_handler, std::string("abort"));
  ASSERT_TRUE(unhandled);
  EXPECT_EQ(unhandled->signal(), SIGABRT);
  EXPECT_TRUE(unhandled->death().stack.empty()) << unhandled->what();
}

TEST(CrashStack, IsEmptyWhereNothingCrashed) {
  process_pool pool({.max_workers = 1});
  const auto killed = death_of(pool, tandem::test::die, tandem::test::death::sigkill);
  ASSERT_TRUE(killed);
  EXPECT_TRUE(killed->death().stack.empty()) << killed->what();
  const auto left = death_of(pool, tandem::test::die, tandem::test::death::exit_7);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->death().exit_code, 7);
  EXPECT_TRUE(left->death().stack.empty()) << left->what();
}

TEST(CrashStack, LosesNothingOfWhatWasSaidBefore) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  {
    process_pool pool({.max_workers = 1});
    static_cast<void>(death_of(pool, crash_site::say_and_crash, std::string("abort")));
  }
  EXPECT_NE(testing::internal::GetCapturedStdout().find("all of a line\n"), std::string::npos);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("last words"), std::string::npos);
}

TEST(CrashStack, CrossesFromANestedPool) {
  process_pool pool({.max_workers = 1});
  auto nested = pool.submit([] {
    process_pool inner({.max_workers = 1});
    inner.submit({.name = "inner"}, crash_site::crash, std::string("abort")).get();
  });
  try {
    nested.get();
    FAIL();
  } catch (const worker_died_error& e) {
    EXPECT_EQ(e.death().task, "inner");
    EXPECT_TRUE(mentions(e.death().stack, "crash_site::give_up()")) << e.what();
  }
}

}  // namespace
