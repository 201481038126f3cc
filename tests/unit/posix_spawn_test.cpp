// posix::spawn_detached and fork_detached.
#include "posix/spawn.hpp"

#include "posix/check.hpp"
#include "posix/descriptors.hpp"
#include "posix/pidfd.hpp"
#include "posix/process.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace tandem::posix;

/// This program, started by a test below, never reaches main: it says which executable it is and ends.
const bool is_probe = [] {
  const char* const path = std::getenv("TANDEM_SPAWN_PROBE");  // NOLINT(concurrency-mt-unsafe)
  if (path == nullptr) return false;
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  const std::string text = executable_path();
  exit_now(::write(fd, text.data(), text.size()) > 0 ? 0 : 1);
}();

/// A pipe into which a started program writes; text() reads until the program and everybody else has closed
/// it.
class output {
 public:
  output() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
  }
  [[nodiscard]] int fd() const { return writer_.get(); }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd()); }

  [[nodiscard]] std::string text() {
    writer_.reset();
    std::string result;
    char buffer[1000];
    for (;;) {
      const ssize_t size = retry_on_eintr([&] { return ::read(reader_.get(), buffer, sizeof buffer); });
      if (size <= 0) return result;
      result.append(buffer, static_cast<std::size_t>(size));
    }
  }

 private:
  unique_fd reader_;
  unique_fd writer_;
};

/// Runs a shell script whose standard output is the pipe; returns what it wrote, after it has ended.
std::string run_shell(const std::string& script, const spawn_options& options = {},
                      std::vector<int> keep = {}) {
  output out;
  keep.push_back(out.fd());
  const std::vector<std::string> argv{"sh", "-c", "exec >" + out.path() + "; " + script};
  const detached_process process = spawn_detached("/bin/sh", argv, keep, options);
  std::string text = out.text();
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
  return text;
}

/// Returns the errno that spawn_detached throws; 0 if it succeeds.
int spawn_error(const std::string& path, const std::vector<int>& keep = {}) {
  const std::vector<std::string> argv{path};
  try {
    const detached_process process = spawn_detached(path, argv, keep);
    (void)wait_for_exit(process.pidfd.get());
    return 0;
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
    return e.code().value();
  }
}

void expect_no_children() {
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG | __WALL), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Spawn, PassesArgumentsEnvironmentAndDirectory) {
  output out;
  ::setenv("TANDEM_SPAWN_TEST", "from the environment", 1);  // NOLINT(concurrency-mt-unsafe)
  const std::vector<std::string> argv{
      "any name", "-c",  "exec >" + out.path() + "; echo \"$0|$1|$2|$TANDEM_SPAWN_TEST|$PWD\"",
      "zero",     "a b", ""};
  const std::array<int, 1> keep{out.fd()};
  const detached_process process = spawn_detached("/bin/sh", argv, keep);
  ::unsetenv("TANDEM_SPAWN_TEST");  // NOLINT(concurrency-mt-unsafe)
  const std::unique_ptr<char, void (*)(void*)> directory(::getcwd(nullptr, 0), std::free);
  EXPECT_EQ(out.text(), "zero|a b||from the environment|" + std::string(directory.get()) + "\n");
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
}

TEST(Spawn, ProgramIsNotAChild) {
  const std::vector<std::string> argv{"sleep", "1000"};
  const detached_process process = spawn_detached("/bin/sleep", argv, {});
  ASSERT_GT(process.pid, 0);
  EXPECT_GT(process.pidfd.get(), 2);
  EXPECT_EQ(::fcntl(process.pidfd.get(), F_GETFD), FD_CLOEXEC);
  expect_no_children();
  const std::string status = run_shell("grep PPid /proc/" + std::to_string(process.pid) + "/status");
  EXPECT_EQ(status.find("PPid:\t" + std::to_string(::getpid()) + "\n"), std::string::npos) << status;
  EXPECT_TRUE(pidfd_send_signal(process.pidfd.get(), SIGKILL));
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
  expect_no_children();
}

std::atomic<int> child_signals{0};

/// Counts SIGCHLD while it lives.
class child_signal_counter {
 public:
  child_signal_counter() {
    child_signals = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++child_signals; };
    ::sigaction(SIGCHLD, &action, &previous_);
  }
  child_signal_counter(const child_signal_counter&) = delete;
  child_signal_counter& operator=(const child_signal_counter&) = delete;
  ~child_signal_counter() { ::sigaction(SIGCHLD, &previous_, nullptr); }

 private:
  struct sigaction previous_ {};
};

TEST(Spawn, UsersChildHandlerIsNotCalled) {
  const child_signal_counter counter;
  EXPECT_EQ(run_shell("echo hello"), "hello\n");
  EXPECT_EQ(spawn_error("/nonexistent/program"), ENOENT);
  EXPECT_EQ(child_signals, 0);
}

TEST(Spawn, WorksWhileTheUserIgnoresHisChildren) {
  struct sigaction action {};
  struct sigaction previous {};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &action, &previous);
  EXPECT_EQ(run_shell("echo hello"), "hello\n");
  ::sigaction(SIGCHLD, &previous, nullptr);
}

TEST(Spawn, FailureOfExecIsThrownWithItsErrno) {
  EXPECT_EQ(spawn_error("/nonexistent/program"), ENOENT);
  EXPECT_EQ(spawn_error("/"), EACCES);
  EXPECT_EQ(spawn_error("/dev/null"), EACCES);
  EXPECT_EQ(spawn_error("/bin/true"), 0);
  expect_no_children();
}

TEST(Spawn, KeepingAClosedDescriptorThrows) {
  EXPECT_EQ(spawn_error("/bin/true", {1'000'000}), EBADF);
  EXPECT_EQ(spawn_error("/bin/true", {-1}), EBADF);
  expect_no_children();
}

/// Within its scope no descriptor can be opened.
class no_descriptors {
 public:
  no_descriptors() {
    // The lowest free one, not simply 3: whoever started this program may have closed its standard input.
    const auto lowest = static_cast<rlim_t>(unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)).get());
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit low{lowest, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;
  ~no_descriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

TEST(Spawn, NoDescriptorLeftForTheHandleThrows) {
  const std::vector<std::string> argv{"true"};
  try {
    // Gone before the exception is looked at: UndefinedBehaviorSanitizer opens a pipe to look at objects.
    const no_descriptors scope;
    (void)spawn_detached("/bin/true", argv, {});
    ADD_FAILURE() << "started without a descriptor to hold it by";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code().value(), EMFILE);
  }
  expect_no_children();
}

TEST(Spawn, EmptyArgumentListThrows) {
  EXPECT_THROW((void)spawn_detached("/bin/true", {}, {}), std::invalid_argument);
}

TEST(Spawn, RunsAnOpenExecutable) {
  const unique_fd shell(::open("/bin/sh", O_RDONLY | O_CLOEXEC));
  output out;
  const std::vector<std::string> argv{"sh", "-c", "exec >" + out.path() + "; echo opened"};
  const std::array<int, 1> keep{out.fd()};
  const detached_process process = spawn_detached(shell.get(), argv, keep);
  EXPECT_EQ(out.text(), "opened\n");
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
  EXPECT_THROW((void)spawn_detached(-1, argv, keep), std::system_error);
}

TEST(Spawn, ProcSelfExeIsThisProgram) {
  output out;
  ::setenv("TANDEM_SPAWN_PROBE", out.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  const std::vector<std::string> argv{"probe"};
  const std::array<int, 1> keep{out.fd()};
  const detached_process process = spawn_detached("/proc/self/exe", argv, keep);
  ::unsetenv("TANDEM_SPAWN_PROBE");  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(out.text(), executable_path());
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
}

TEST(Spawn, OnlyKeptDescriptorsAreInherited) {
  // One that is close-on-exec and kept, one that the user opened without close-on-exec, one that is neither.
  const unique_fd kept(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const unique_fd sloppy(::fcntl(kept.get(), F_DUPFD, 100));
  const unique_fd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  // Built-in commands only, and no listing of the directory: that would open descriptors of its own.
  const std::string script =
      "i=0; while [ $i -lt 200 ]; do [ -e /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done";
  std::istringstream lines(run_shell(script, {}, {kept.get()}));
  std::vector<int> seen;
  for (int fd = 0; lines >> fd;) seen.push_back(fd);
  EXPECT_TRUE(std::count(seen.begin(), seen.end(), kept.get()));
  EXPECT_FALSE(std::count(seen.begin(), seen.end(), sloppy.get()));
  EXPECT_FALSE(std::count(seen.begin(), seen.end(), other.get()));
  EXPECT_EQ(seen.size(), 5U) << "0, 1, 2, the pipe, and the kept one";
  EXPECT_EQ(::fcntl(kept.get(), F_GETFD), FD_CLOEXEC) << "here it stays as it was";
  EXPECT_EQ(::fcntl(sloppy.get(), F_GETFD), 0) << "here it stays as it was";
}

TEST(Spawn, SignalsAreAtTheirDefaultExceptTheIgnored) {
  struct sigaction ignore {};
  struct sigaction previous {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR2, &ignore, &previous);
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const std::array<int, 2> ignored{SIGINT, SIGQUIT};
  const std::string status =
      run_shell("grep -E 'Sig(Blk|Ign)' /proc/self/status", {.ignored_signals = ignored});
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  ::sigaction(SIGUSR2, &previous, nullptr);
  EXPECT_EQ(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000006\n");
  EXPECT_EQ(::sigismember(&after, SIGUSR1), 1) << "the caller's mask is as before";
  EXPECT_EQ(::sigismember(&after, SIGTERM), 0) << "the caller's mask is as before";
}

TEST(Spawn, ProgramLeadsItsOwnGroupWhereAsked) {
  const std::string script =
      "read -r pid comm state parent group rest < /proc/self/stat; [ $$ = $group ] && echo own";
  EXPECT_EQ(run_shell(script + " || echo shared"), "shared\n");
  EXPECT_EQ(run_shell(script + " || echo shared", {.new_process_group = true}), "own\n");
}

std::atomic<int> fork_handlers_run{0};

TEST(Spawn, ForkHandlersDoNotRun) {
  static const int registered =
      ::pthread_atfork([] { ++fork_handlers_run; }, [] { ++fork_handlers_run; }, [] { ++fork_handlers_run; });
  ASSERT_EQ(registered, 0);
  fork_handlers_run = 0;
  EXPECT_EQ(spawn_error("/bin/true"), 0);
  EXPECT_EQ(fork_handlers_run, 0);
}

TEST(Spawn, WorksFromManyThreadsAtOnce) {
  const child_signal_counter counter;
  std::atomic<bool> stop{false};
  // One that allocates all the time: a copied heap would be in a state in which a child can only deadlock.
  std::thread busy([&] {
    while (!stop)
      std::vector<std::string>(100, std::string(100, 'x'))
          .swap(*std::make_unique<std::vector<std::string>>());
  });
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int k = 0; k < 10; ++k) {
        const std::string text = std::to_string(i) + "." + std::to_string(k);
        EXPECT_EQ(run_shell("echo " + text), text + "\n");
        EXPECT_EQ(spawn_error("/nonexistent/program"), ENOENT);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  busy.join();
  EXPECT_EQ(child_signals, 0);
  expect_no_children();
}

TEST(Spawn, AdoptedOrphansCanBeReaped) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const std::vector<std::string> argv{"true"};
  const detached_process process = spawn_detached("/bin/true", argv, {});
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
  EXPECT_TRUE(reap_if_adopted(process.pidfd.get()));
  expect_no_children();
  EXPECT_EQ(spawn_error("/nonexistent/program"), ENOENT);
  expect_no_children();
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

TEST(Spawn, OrphansOfOthersAreNotReaped) {
  const std::vector<std::string> argv{"true"};
  const detached_process process = spawn_detached("/bin/true", argv, {});
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
  EXPECT_FALSE(reap_if_adopted(process.pidfd.get()));
}

TEST(ForkDetached, RunsTheBodyInACopyThatIsNotAChild) {
  const child_signal_counter counter;
  output out;
  const std::string captured = "captured";
  const pid_t caller = ::getpid();
  const detached_process process = fork_detached([&] {
    const bool orphan = ::getppid() != caller && ::getpid() != caller && ::gettid() == ::getpid();
    const std::string text = captured + (orphan ? ", orphan" : ", child");
    return ::write(out.fd(), text.data(), text.size()) > 0 ? 0 : 1;
  });
  EXPECT_GT(process.pid, 0);
  EXPECT_NE(process.pid, caller);
  EXPECT_EQ(out.text(), "captured, orphan");
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
  EXPECT_EQ(child_signals, 0);
  expect_no_children();
}

TEST(ForkDetached, SignalsAreAtTheirDefault) {
  const child_signal_counter counter;
  output out;
  const detached_process process = fork_detached([&] {
    struct sigaction now {};
    ::sigaction(SIGCHLD, nullptr, &now);
    sigset_t mask;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    const bool clean = now.sa_handler == SIG_DFL && ::sigisemptyset(&mask) != 0;
    return ::write(out.fd(), clean ? "clean" : "dirty", 5) == 5 ? 0 : 1;
  });
  EXPECT_EQ(out.text(), "clean");
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
}

TEST(ForkDetached, BodyThatThrowsEndsTheCopyOnly) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const detached_process process = fork_detached([]() -> int { throw std::runtime_error("expected"); });
  EXPECT_TRUE(wait_for_exit(process.pidfd.get()));
  EXPECT_EQ(reap(process.pid).exit_code(), 70);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

TEST(ForkChild, IsAnOrdinaryChild) {
  const pid_t pid = fork_child();
  if (pid == 0) exit_now(5);
  EXPECT_EQ(reap(pid).exit_code(), 5);
}

}  // namespace
