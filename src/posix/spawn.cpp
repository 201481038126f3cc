#include "posix/spawn.hpp"

#include "posix/check.hpp"
#include "posix/descriptors.hpp"
#include "posix/pidfd.hpp"
#include "posix/signals.hpp"

#include <cstddef>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1  // What gcc calls it.
extern "C" int __clone(int (*)(void*), void*, int, void*, ...) noexcept;
#endif
#endif

namespace tandem::posix {
namespace {

#ifdef __SANITIZE_THREAD__
/// glibc's other name for clone. ThreadSanitizer replaces the first one and takes every clone for a fork:
/// with shared memory it then believes that the *caller* is the child of a multi-threaded fork, and refuses
/// to start threads.
constexpr auto* clone_process = &::__clone;
#else
constexpr auto* clone_process = &::clone;
#endif

#ifdef CLOSE_RANGE_CLOEXEC
constexpr unsigned close_range_cloexec = CLOSE_RANGE_CLOEXEC;
#else
constexpr unsigned close_range_cloexec = 1U << 2U;  // Linux 5.11.
#endif

/// The kernel's signal set; sigset_t is larger, and glibc's functions leave two real-time signals out of it.
using kernel_signal_set = unsigned long;
constexpr int signal_count = 64;

/// Blocks every signal there is, glibc's own two included, and thread cancellation. Else a handler of the
/// user's could run in the child, in memory that it shares with us.
class undisturbed {
 public:
  undisturbed() noexcept {
    const kernel_signal_set all = ~0UL;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &previous_, sizeof all);
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state_);
  }
  undisturbed(const undisturbed&) = delete;
  undisturbed& operator=(const undisturbed&) = delete;
  ~undisturbed() {
    ::pthread_setcancelstate(cancel_state_, nullptr);
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &previous_, nullptr, sizeof previous_);
  }

 private:
  kernel_signal_set previous_ = 0;
  int cancel_state_ = 0;
};

/// Anonymous pages, gone at the end of the scope.
class pages {
 public:
  pages(std::size_t size, int flags)
      : data_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0)), size_(size) {
    if (data_ == MAP_FAILED) throw_errno("memory for starting a process");
  }
  pages(const pages&) = delete;
  pages& operator=(const pages&) = delete;
  ~pages() { ::munmap(data_, size_); }

  [[nodiscard]] std::byte* begin() const noexcept { return static_cast<std::byte*>(data_); }

 private:
  void* data_;
  std::size_t size_;
};

/// What the three processes tell each other; in the caller's memory, which all share. Plain data: nothing in
/// the child may allocate, lock or run a function that might.
struct plan {
  // Written before clone.
  const char* path = nullptr;  ///< Null: `executable`.
  int executable = -1;
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const int* keep = nullptr;
  std::size_t keep_count = 0;
  const int* ignored = nullptr;
  std::size_t ignored_count = 0;
  bool new_process_group = false;
  std::byte* program_stack = nullptr;  ///< The end: stacks grow down.
  kernel_signal_set no_signals = 0;
  unsigned long default_action[8] = {};  ///< The kernel's struct sigaction, larger on no architecture.
  unsigned long ignore_action[8] = {1};  ///< The same, with SIG_IGN; the handler comes first.

  // Written by the children.
  pid_t pid = -1;
  int pidfd = -1;
  int error = 0;
  const char* failed = nullptr;
};

// The functions that run between clone and exec - those with no_sanitize - share the caller's memory, on a
// stack of their own that vanishes with them. AddressSanitizer must not mark that stack in its shadow memory,
// for nobody would ever unmark it, and ThreadSanitizer must not take them for threads that it knows.

__attribute__((no_sanitize("address", "thread", "undefined"), noinline)) void end_process(int code) {
  for (;;) ::syscall(SYS_exit_group, code);
}

/// The program-to-be: has its own descriptor table and signal dispositions, and the caller's memory until
/// exec.
__attribute__((no_sanitize("address", "thread", "undefined"), noinline)) int run_program(void* argument) {
  plan& p = *static_cast<plan*>(argument);

  for (int number = 1; number <= signal_count; ++number) {
    const unsigned long* action = p.default_action;
    for (std::size_t i = 0; i < p.ignored_count; ++i) {
      if (p.ignored[i] == number) action = p.ignore_action;
    }
    ::syscall(SYS_rt_sigaction, number, action, nullptr,
              sizeof(kernel_signal_set));  // EINVAL for KILL and STOP.
  }
  if (p.new_process_group) ::syscall(SYS_setpgid, 0, 0);

  // Everything becomes close-on-exec, so that what the user opened without it does not live on in a process
  // that he does not know of. Fails before Linux 5.11.
  ::syscall(SYS_close_range, 3U, ~0U, close_range_cloexec);
  for (std::size_t i = 0; i < p.keep_count; ++i) {
    if (::syscall(SYS_fcntl, p.keep[i], F_SETFD, 0) == 0) continue;
    p.error = errno;
    p.failed = "keeping a descriptor for a new process";
    end_process(127);
  }

  // From here on a signal kills this process: by default, for no handler is left.
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &p.no_signals, nullptr, sizeof(kernel_signal_set));
  if (p.path != nullptr) {
    ::syscall(SYS_execve, p.path, p.arguments, p.environment);
  } else {
    ::syscall(SYS_execveat, p.executable, "", p.arguments, p.environment, AT_EMPTY_PATH);
  }
  p.error = errno;
  p.failed = "executing";
  end_process(127);
  return 127;
}

/// The process between: exists so that the program's parent dies at once and init adopts the program. Shares
/// the caller's descriptor table, so that the pidfd lands there.
__attribute__((no_sanitize("address", "thread", "undefined"), noinline)) int run_intermediate(
    void* argument) {
  plan& p = *static_cast<plan*>(argument);
  const int pid = clone_process(&run_program, p.program_stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                                argument, &p.pidfd);
  if (pid < 0) {
    p.error = errno;
    p.failed = "creating a process";
  } else {
    p.pid = pid;
    // A program that failed to start is reaped here, lest it become init's zombie - or ours, where we are
    // init.
    if (p.error != 0) ::syscall(SYS_wait4, pid, nullptr, __WALL, nullptr);
  }
  end_process(0);
  return 0;
}

constexpr std::size_t guard_size = std::size_t{64} * 1024;  // A multiple of every page size in use.
constexpr std::size_t stack_size = std::size_t{64} * 1024;

/// As exec wants them. Points into `argv`.
std::vector<char*> to_arguments(const char* caller, std::span<const std::string> argv) {
  if (argv.empty()) {
    throw std::invalid_argument(std::string(caller) + ": argv is empty; it must have at least argv[0]");
  }
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  return arguments;
}

detached_process spawn(plan& p, std::span<const std::string> argv, std::span<const int> keep,
                       const spawn_options& options, const std::string& what) {
  std::vector<char*> arguments = to_arguments("spawn_detached", argv);
  p.arguments = arguments.data();
  p.environment = environ;
  p.keep = keep.data();
  p.keep_count = keep.size();
  p.ignored = options.ignored_signals.data();
  p.ignored_count = options.ignored_signals.size();
  p.new_process_group = options.new_process_group;

  // From low to high: guard, the program's stack, guard, the intermediate's stack.
  const pages stacks(2 * (guard_size + stack_size), MAP_PRIVATE | MAP_STACK | MAP_NORESERVE);
  checked(::mprotect(stacks.begin(), guard_size, PROT_NONE), "mprotect");
  checked(::mprotect(stacks.begin() + guard_size + stack_size, guard_size, PROT_NONE), "mprotect");
  p.program_stack = stacks.begin() + guard_size + stack_size;
  std::byte* const intermediate_stack = p.program_stack + guard_size + stack_size;

  {
    const undisturbed guard;
    // Exit signal 0: no SIGCHLD, and only a wait with __WCLONE sees it. CLONE_VFORK: this thread sleeps until
    // the intermediate ends, which sleeps until the program has exec'ed.
    const int intermediate =
        clone_process(&run_intermediate, intermediate_stack, CLONE_VM | CLONE_VFORK | CLONE_FILES, &p);
    if (intermediate < 0) {
      p.error = errno;
      p.failed = "creating a process";
    } else {
      // ECHILD if the user waits for __WALL in another thread and was faster; then it is reaped all the same.
      (void)retry_on_eintr([&] { return ::waitpid(intermediate, nullptr, __WCLONE); });
    }
  }

  detached_process result{p.pid, unique_fd(p.pidfd)};
  if (p.error != 0) throw_system_error(p.error, std::string(p.failed) + " " + what);
  if (p.pid < 0) throw_system_error(EIO, "starting " + what + ": the helper process was killed");
  result.pidfd = above_stdio(std::move(result.pidfd));
  return result;
}

/// What fork_detached's three processes tell each other, in memory that they share.
struct fork_report {
  pid_t pid = -1;
  int pidfd = -1;
  int error = 0;
};

[[noreturn]] void run_body(const std::function<int()>& body) noexcept {
  reset_signals_to_default();
  int code = 70;  // EX_SOFTWARE of sysexits.h.
  try {
    code = body();
  } catch (...) {  // There is nobody to tell; whoever holds the pidfd sees the process end.
  }
  exit_now(code);
}

/// Forks `body` off and ends. A copy of the caller, except for the descriptor table, which it shares.
[[noreturn]] void run_fork_intermediate(const std::function<int()>& body, fork_report& report) noexcept {
  const pid_t pid = ::fork();
  if (pid == 0) run_body(body);
  if (pid < 0) {
    report.error = errno;
    exit_now(0);
  }
  const long pidfd = ::syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) {
    report.error = errno;
    ::kill(pid, SIGKILL);
    (void)retry_on_eintr([&] { return ::waitpid(pid, nullptr, 0); });
    exit_now(0);
  }
  report.pidfd = static_cast<int>(pidfd);
  report.pid = pid;
  exit_now(0);
}

}  // namespace

detached_process spawn_detached(const std::string& path, std::span<const std::string> argv,
                                std::span<const int> keep, const spawn_options& options) {
  plan p;
  p.path = path.c_str();
  return spawn(p, argv, keep, options, path);
}

detached_process spawn_detached(int executable, std::span<const std::string> argv, std::span<const int> keep,
                                const spawn_options& options) {
  plan p;
  p.executable = executable;
  return spawn(p, argv, keep, options, "descriptor " + std::to_string(executable));
}

detached_process fork_detached(const std::function<int()>& body) {
  const pages shared(sizeof(fork_report), MAP_SHARED);
  fork_report& report = *::new (shared.begin()) fork_report;
  {
    const undisturbed guard;
    // Not fork(): its child would raise SIGCHLD and answer to the user's waitpid(-1).
    const long intermediate = ::syscall(SYS_clone, CLONE_FILES, nullptr, nullptr, nullptr, nullptr);
    if (intermediate == 0) run_fork_intermediate(body, report);
    if (intermediate < 0) {
      report.error = errno;
    } else {
      const auto pid = static_cast<pid_t>(intermediate);
      (void)retry_on_eintr([&] { return ::waitpid(pid, nullptr, __WCLONE); });
    }
  }
  detached_process result{report.pid, unique_fd(report.pidfd)};
  if (report.error != 0) throw_system_error(report.error, "forking a detached process");
  if (report.pid < 0) throw_system_error(EIO, "forking a detached process: the helper process was killed");
  result.pidfd = above_stdio(std::move(result.pidfd));
  return result;
}

pid_t fork_child() { return checked(::fork(), "fork"); }

void exec_again(std::span<const std::string> argv, std::span<const int> keep) {
  const std::vector<char*> arguments = to_arguments("exec_again", argv);
  ::syscall(SYS_close_range, 3U, ~0U, close_range_cloexec);  // fails before Linux 5.11
  for (const int fd : keep) set_close_on_exec(fd, false);
  ::execve("/proc/self/exe", arguments.data(), environ);
  throw_errno("executing /proc/self/exe");
}

void exit_now(int code) noexcept { ::_exit(code); }

}  // namespace tandem::posix
