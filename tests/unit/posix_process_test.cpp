// What one process does to itself and its children: reaping, pidfds, signals, names, parent death, and
// futexes and descriptors across fork.
#include "posix/process.hpp"

#include "posix/clock.hpp"
#include "posix/event_fd.hpp"
#include "posix/futex.hpp"
#include "posix/memfd.hpp"
#include "posix/pidfd.hpp"
#include "posix/poll.hpp"
#include "posix/spawn.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace tandem::posix;

/// Runs `body` in a child; the child's exit code is what it returns.
pid_t in_child(const std::function<int()>& body) {
  const pid_t pid = fork_child();
  if (pid == 0) exit_now(body());
  return pid;
}

/// A child that lives until it is killed.
pid_t patient_child() {
  return in_child([] {
    for (;;) ::pause();
    return 0;
  });
}

TEST(Reap, TellsTheExitCode) {
  const pid_t pid = in_child([] { return 42; });
  const reaped end = reap(pid);
  EXPECT_EQ(end.pid, pid);
  EXPECT_TRUE(end.exited());
  EXPECT_EQ(end.exit_code(), 42);
  EXPECT_EQ(end.signal(), 0);
  EXPECT_GT(end.peak_rss, 0U);
}

TEST(Reap, TellsTheSignal) {
  const pid_t pid = patient_child();
  EXPECT_TRUE(kill_process(pid, SIGKILL));
  const reaped end = reap(pid);
  EXPECT_FALSE(end.exited());
  EXPECT_EQ(end.exit_code(), -1);
  EXPECT_EQ(end.signal(), SIGKILL);
}

TEST(Reap, NoSuchChildThrows) {
  try {
    (void)reap(::getpid());
    FAIL() << "must throw";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code().value(), ECHILD);
  }
}

TEST(Pidfd, BecomesReadableWhenTheProcessEnds) {
  const pid_t pid = patient_child();
  const unique_fd handle = pidfd_open(pid);
  EXPECT_EQ(::fcntl(handle.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_FALSE(wait_for_exit(handle.get(), deadline_after(1ms)));
  EXPECT_TRUE(pidfd_send_signal(handle.get(), SIGTERM));
  EXPECT_TRUE(wait_for_exit(handle.get()));
  EXPECT_TRUE(wait_for_exit(handle.get(), deadline_after(0ms)));
  EXPECT_EQ(reap(pid).signal(), SIGTERM);
  EXPECT_FALSE(pidfd_send_signal(handle.get(), SIGTERM));
  EXPECT_TRUE(wait_for_exit(handle.get(), deadline_after(0ms)));
}

TEST(Pidfd, SeveralCanBePolledTogether) {
  const pid_t patient = patient_child();
  const pid_t hasty = in_child([] { return 0; });
  const unique_fd one = pidfd_open(patient);
  const unique_fd two = pidfd_open(hasty);
  std::array<pollfd, 2> entries{readable(one.get()), readable(two.get())};
  EXPECT_EQ(poll_until(entries), 1);
  EXPECT_EQ(entries[0].revents, 0);
  EXPECT_EQ(entries[1].revents, POLLIN);
  kill_process(patient, SIGKILL);
  (void)reap(patient);
  (void)reap(hasty);
}

TEST(Pidfd, NoSuchProcessThrows) {
  const pid_t pid = in_child([] { return 0; });
  (void)reap(pid);
  EXPECT_THROW((void)pidfd_open(pid), std::system_error);
  EXPECT_THROW((void)pidfd_open(-1), std::system_error);
  EXPECT_THROW((void)pidfd_send_signal(-1, SIGTERM), std::system_error);
  EXPECT_THROW((void)wait_for_exit(-1), std::system_error);
}

TEST(Pidfd, ReapIfAdoptedReapsOnlyTheEnded) {
  const pid_t pid = patient_child();
  const unique_fd handle = pidfd_open(pid);
  EXPECT_FALSE(reap_if_adopted(handle.get()));
  kill_process(pid, SIGKILL);
  EXPECT_TRUE(wait_for_exit(handle.get()));
  EXPECT_TRUE(reap_if_adopted(handle.get()));
  EXPECT_FALSE(reap_if_adopted(handle.get()));
  EXPECT_FALSE(reap_if_adopted(-1));
}

TEST(Kill, RefusesPidsThatMeanMany) {
  EXPECT_THROW(kill_process(-1, SIGKILL), std::invalid_argument);
  EXPECT_THROW(kill_process(0, SIGKILL), std::invalid_argument);
  EXPECT_THROW(kill_group(1, SIGKILL), std::invalid_argument);
  EXPECT_THROW(kill_group(0, SIGKILL), std::invalid_argument);
}

TEST(Kill, GroupTakesGrandchildrenAlong) {
  const event_fd ready;
  const pid_t pid = in_child([&] {
    set_process_group(0, 0);
    (void)patient_child();
    ready.raise();
    for (;;) ::pause();
    return 0;
  });
  EXPECT_TRUE(wait_readable(ready.fd()));
  EXPECT_TRUE(kill_group(pid, SIGKILL));
  EXPECT_EQ(reap(pid).signal(), SIGKILL);
  // That the grandchild is gone too is what the leak check finds out.
}

TEST(Kill, OfTheGoneIsFalse) {
  const pid_t pid = in_child([] { return 0; });
  (void)reap(pid);
  EXPECT_FALSE(kill_process(pid, SIGTERM));
  EXPECT_FALSE(kill_group(pid, SIGTERM));
}

TEST(ParentDeath, KillsTheChild) {
  const std::pair<unique_fd, unique_fd> pipe = [] {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    return std::pair(unique_fd(ends[0]), unique_fd(ends[1]));
  }();
  const event_fd armed;
  const pid_t parent = in_child([&] {
    const pid_t self = current_pid();
    (void)in_child([&] {
      if (!set_parent_death_signal(SIGKILL, self)) return 1;
      armed.raise();
      for (;;) ::pause();  // Holds the pipe's writing end open.
      return 0;
    });
    for (;;) ::pause();
    return 0;
  });
  EXPECT_TRUE(wait_readable(armed.fd()));
  kill_process(parent, SIGKILL);
  (void)reap(parent);
  const_cast<unique_fd&>(pipe.second).reset();
  char byte = 0;
  EXPECT_EQ(::read(pipe.first.get(), &byte, 1), 0) << "end of file: nobody holds the writing end any more";
}

TEST(ParentDeath, ArmingTooLateIsTold) {
  const pid_t pid = in_child([] { return set_parent_death_signal(SIGKILL, 1'234'567) ? 1 : 0; });
  EXPECT_EQ(reap(pid).exit_code(), 0);
  EXPECT_THROW((void)set_parent_death_signal(1000, 1), std::system_error);
}

TEST(SharedFutex, WakesAnotherProcess) {
  const unique_fd memory = create_memfd("futex", sizeof(std::uint32_t));
  mapping view = mapping::shared(memory.get(), sizeof(std::uint32_t));
  auto& word = *::new (view.data()) std::atomic<std::uint32_t>(0);
  const pid_t pid = in_child([&] {
    for (std::uint32_t i = 0; i < 1000; i += 2) {
      while (word.load() == i) futex_wait(word, i, scope::process_shared);
      word.store(i + 2);
      futex_wake(word, 1, scope::process_shared);
    }
    return 0;
  });
  for (std::uint32_t i = 0; i < 1000; i += 2) {
    word.store(i + 1);
    futex_wake(word, 1, scope::process_shared);
    while (word.load() == i + 1) futex_wait(word, i + 1, scope::process_shared);
  }
  EXPECT_EQ(reap(pid).exit_code(), 0);
  EXPECT_EQ(word.load(), 1000U);
}

TEST(Descriptors, CloseRangeKeepsOnlyTheExceptions) {
  const pid_t pid = in_child([] {
    std::vector<int> extra;
    extra.reserve(10);
    for (int i = 0; i < 10; ++i) extra.push_back(::fcntl(0, F_DUPFD, 3));
    const std::array<int, 5> keep{extra[7], extra[3], extra[7], 1'000'000, -1};
    close_range_from(3, keep);
    const std::vector<int> expected{0, 1, 2, extra[3], extra[7]};
    return open_descriptors() == expected ? 0 : 1;
  });
  EXPECT_EQ(reap(pid).exit_code(), 0);
}

TEST(Descriptors, CloseRangeWithoutExceptionsClosesAll) {
  const pid_t pid = in_child([] {
    (void)::fcntl(0, F_DUPFD, 500);
    close_range_from(3);
    return open_descriptors() == std::vector<int>{0, 1, 2} ? 0 : 1;
  });
  EXPECT_EQ(reap(pid).exit_code(), 0);
}

/// Makes the kernel say ENOSYS to close_range in this process from now on, as Linux before 5.9 does.
bool take_close_range_away() {
  std::array<sock_filter, 4> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_close_range},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog filter{program.size(), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

TEST(Descriptors, CloseRangeWorksOnKernelsThatHaveNone) {
  const pid_t pid = in_child([] {
    if (!take_close_range_away()) return 77;
    std::array<int, 2> extra{::fcntl(0, F_DUPFD, 3), ::fcntl(0, F_DUPFD, 500)};
    close_range_from(3, {extra.data() + 1, 1});
    return open_descriptors() == std::vector<int>{0, 1, 2, extra[1]} ? 0 : 1;
  });
  const int code = reap(pid).exit_code();
  if (code == 77) GTEST_SKIP() << "this kernel lets nobody filter system calls";
  EXPECT_EQ(code, 0);
}

TEST(Descriptors, StandardInputReadsNothingAfterRedirect) {
  const pid_t pid = in_child([] {
    redirect_stdin_to_null();
    char byte = 0;
    return ::read(0, &byte, 1) == 0 && (::fcntl(0, F_GETFD) & FD_CLOEXEC) == 0 ? 0 : 1;
  });
  EXPECT_EQ(reap(pid).exit_code(), 0);
}

TEST(Descriptors, ClosedStandardDescriptorsAreFilled) {
  const pid_t pid = in_child([] {
    close_range_from(3);
    ::close(0);
    redirect_stdin_to_null();
    if (open_descriptors() != std::vector<int>{0, 1, 2}) return 2;
    ::close(1);
    const unique_fd fd = above_stdio(unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
    return fd.get() > 2 && ::fcntl(1, F_GETFD) == -1 ? 0 : 3;
  });
  EXPECT_EQ(reap(pid).exit_code(), 0);
}

TEST(Signals, ResetUndoesMaskHandlersAndIgnoring) {
  const pid_t pid = in_child([] {
    struct sigaction action {};
    action.sa_handler = [](int) { exit_now(3); };
    ::sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGUSR2, SIG_IGN);
    const block_signals_from_outside blocked;
    ::kill(::getpid(), SIGTERM);  // Pending: must meet the default, not the handler.
    const std::array<int, 1> ignored{SIGINT};
    reset_signals_to_default(ignored);
    return 4;
  });
  EXPECT_EQ(reap(pid).signal(), SIGTERM);

  const pid_t other = in_child([] {
    const std::array<int, 1> ignored{SIGINT};
    std::signal(SIGUSR2, SIG_IGN);
    reset_signals_to_default(ignored);
    struct sigaction now {};
    ::sigaction(SIGUSR2, nullptr, &now);
    if (now.sa_handler != SIG_DFL) return 1;
    ::kill(::getpid(), SIGINT);
    return 0;
  });
  EXPECT_EQ(reap(other).exit_code(), 0);
}

TEST(Signals, BlockedOnesWaitUntilTheScopeEnds) {
  const pid_t pid = in_child([] {
    {
      const block_signals_from_outside blocked;
      ::kill(::getpid(), SIGTERM);
      ::kill(::getpid(), SIGCONT);
    }
    return 1;
  });
  EXPECT_EQ(reap(pid).signal(), SIGTERM);
}

TEST(Signals, ThatTellOfAThreadsOwnFaultAreNotBlocked) {
  for (const int own : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP}) {
    const pid_t pid = in_child([own] {
      reset_signals_to_default();  // a sanitizer's handlers, too
      const block_signals_from_outside blocked;
      ::raise(own);
      return 1;
    });
    EXPECT_EQ(reap(pid).signal(), own);
  }
}

TEST(Signals, HaveTheirNames) {
  EXPECT_EQ(signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(SIGRTMIN), "SIGRTMIN");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(999), "signal 999");
  EXPECT_EQ(signal_name(0), "signal 0");
  EXPECT_EQ(signal_name(-1), "signal -1");
}

TEST(Process, NameIsCutToFifteenBytesBetweenCharacters) {
  const std::string before = current_name();
  set_name("short");
  EXPECT_EQ(current_name(), "short");
  set_name("0123456789abcdefgh");
  EXPECT_EQ(current_name(), "0123456789abcde");
  set_name("0123456789abcd\u00e9");
  EXPECT_EQ(current_name(), "0123456789abcd");
  set_name("");
  EXPECT_EQ(current_name(), "");
  set_name(before);
}

TEST(Process, NumberedNamesStayDistinct) {
  EXPECT_EQ(numbered_name("worker", 7), "worker-7");
  EXPECT_EQ(numbered_name("a-very-long-prefix", 12), "a-very-long--12");
  EXPECT_EQ(numbered_name("", 3), "-3");
  EXPECT_EQ(numbered_name("x", std::numeric_limits<int>::max()), "x-2147483647");
}

TEST(Process, CountsItsThreads) {
  // In a child: it starts with one thread for sure.
  const pid_t pid = in_child([] {
    if (thread_count() != 1) return 1;
    const event_fd stop;
    std::thread other([&] { (void)wait_readable(stop.fd()); });
    const int with_other = thread_count();
    stop.raise();
    other.join();
    return with_other == 2 ? 0 : 2;
  });
  EXPECT_EQ(reap(pid).exit_code(), 0);
}

TEST(Process, KnowsTheTimeOfOthers) {
  const pid_t pid = patient_child();
  EXPECT_GE(cpu_time(pid).value(), 0ns);
  kill_process(pid, SIGKILL);
  (void)reap(pid);
  EXPECT_FALSE(cpu_time(pid));
}

TEST(Process, PrivateMemoryIsLimitedAndSharedIsNot) {
  const pid_t pid = in_child([] {
    const unique_fd shared = create_memfd("shared", std::size_t{1} << 30U);
    limit_private_memory(std::size_t{256} << 20U);
    limit_private_memory(std::size_t{512} << 20U);  // Raising it is no error and has no effect.
    constexpr std::size_t size = std::size_t{400} << 20U;
    if (::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
      return 1;
    return ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, shared.get(), 0) != MAP_FAILED ? 0 : 2;
  });
  EXPECT_EQ(reap(pid).exit_code(), 0);
}

TEST(Process, OomScoreCanBeRaised) {
  const pid_t pid = in_child([] { return set_oom_score_adjustment(500) ? 0 : 1; });
  EXPECT_EQ(reap(pid).exit_code(), 0);
}

TEST(Process, KnowsWhoItIs) {
  EXPECT_EQ(current_pid(), ::getpid());
  EXPECT_EQ(current_tid(), ::gettid());
  EXPECT_EQ(executable_path().front(), '/');
}

}  // namespace
