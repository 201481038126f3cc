#include "support/watchdog.hpp"

#include <execinfo.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "support/processes.hpp"

namespace tandem::test {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t message_size = 512;
int to_watchdog = -1;
std::string current_test;

// Without gdb, each thread is asked by this signal to print its own stack.
int stack_signal() { return SIGRTMAX - 3; }

void print_own_stack(int) {
  const int saved = errno;
  void* frames[64];
  const int count = backtrace(frames, 64);
  backtrace_symbols_fd(frames, count, STDERR_FILENO);
  errno = saved;
}

std::chrono::seconds default_limit() {
  const char* text = std::getenv("TANDEM_TEST_TIMEOUT");
  const long seconds = text != nullptr ? std::strtol(text, nullptr, 10) : 0;
  return std::chrono::seconds(seconds > 0 ? seconds : 60) * slowness();
}

// A message is "<milliseconds> <test name>"; 0 milliseconds means that the test has ended.
void tell_watchdog(std::chrono::milliseconds limit) {
  if (to_watchdog < 0) return;
  const std::string message = std::to_string(limit.count()) + " " + current_test.substr(0, 400);
  if (send(to_watchdog, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    std::fprintf(stderr, "watchdog: cannot be reached: %s\n", std::strerror(errno));
  }
}

void print_file(const std::string& path, const std::string& label) {
  const std::string text = slurp(path);
  if (!text.empty()) {
    std::fprintf(stderr, "  %s: %s%s", label.c_str(), text.c_str(), text.back() == '\n' ? "" : "\n");
  }
}

void print_kernel_view(int pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  for (const char* file : {"wchan", "syscall", "stack"}) print_file(directory + "/" + file, file);
  std::istringstream status(slurp(directory + "/status"));
  for (std::string line; std::getline(status, line);) {
    for (const char* field :
         {"State", "Threads", "VmRSS", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"}) {
      if (line.rfind(field, 0) == 0) std::fprintf(stderr, "  %s\n", line.c_str());
    }
  }
}

bool gdb_can_print(int pid) {
  const std::string command =
      "command -v gdb >/dev/null && timeout -k 5 60 gdb -nx -batch -p " + std::to_string(pid) +
      " -iex 'set debuginfod enabled off' -ex 'set pagination off' -ex 'thread apply all bt 50' 2>/dev/null"
      " | grep -E '^(Thread|#| )' 1>&2";
  // The watchdog is a single-threaded process of its own; nothing else runs in it.
  return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe)
}

void signal_every_thread(int pid) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const int tid : numbers_in(tasks)) {
    const std::string name = slurp(tasks + "/" + std::to_string(tid) + "/comm");
    std::fprintf(stderr, "Thread %d %s", tid, name.c_str());
    syscall(SYS_tgkill, pid, tid, stack_signal());
    poll(nullptr, 0, 300);  // let it print before the next one; a thread that never answers is not waited for
  }
}

[[noreturn]] void diagnose_and_kill(int tested, const std::string& test, long milliseconds) {
  std::fprintf(stderr, "\n===== watchdog: %s did not end within %.1f s. Every thread of %d:\n", test.c_str(),
               static_cast<double>(milliseconds) / 1000.0, tested);
  if (!gdb_can_print(tested)) signal_every_thread(tested);
  const auto children = family(tested);
  std::fprintf(stderr, "===== watchdog: %zu processes that it started:\n", children.size());
  for (const process_info& child : children) {
    std::fprintf(stderr, "--- pid %d, parent %d, state %c: %s\n", child.pid, child.parent, child.state,
                 child.command.c_str());
    print_kernel_view(child.pid);
    if (child.state != 'Z') gdb_can_print(child.pid);
  }
  std::fprintf(stderr, "===== watchdog: %s FAILED by timeout; killing %d and what it started\n", test.c_str(),
               tested);
  kill(tested, SIGKILL);
  for (const process_info& child : children) kill(child.pid, SIGKILL);
  _exit(1);
}

[[noreturn]] void run_watchdog(int tested, int messages) {
  setsid();  // a Ctrl-C is for the tests; we leave when they do
  const int exited = static_cast<int>(syscall(SYS_pidfd_open, tested, 0));
  std::string test;
  long limit = 0;  // milliseconds; 0: no test runs
  clock::time_point deadline;
  for (;;) {
    int wait = -1;
    if (limit > 0) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
      if (left <= 0) diagnose_and_kill(tested, test, limit);
      wait = static_cast<int>(left) + 1;
    }
    pollfd events[2] = {{messages, POLLIN, 0}, {exited, POLLIN, 0}};
    if (poll(events, 2, wait) <= 0) continue;
    if (events[1].revents != 0) _exit(0);
    char message[message_size] = {};
    // The other end may stay open in processes forked by a test, so its end is only one of two signs.
    if (recv(messages, message, sizeof message - 1, 0) <= 0) _exit(0);
    char* name = nullptr;
    limit = std::strtol(message, &name, 10);
    test = *name == ' ' ? name + 1 : name;
    deadline = clock::now() + std::chrono::milliseconds(limit);
  }
}

}  // namespace

int slowness() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 4;
#else
  return 1;
#endif
}

void start_watchdog() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    std::perror("watchdog: socketpair");
    std::abort();
  }
  struct sigaction action {};
  action.sa_handler = print_own_stack;
  action.sa_flags = SA_RESTART;
  sigaction(stack_signal(), &action, nullptr);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);  // let gdb attach where Yama restricts it

  const int tested = getpid();
  const pid_t between = fork();
  if (between < 0) {
    std::perror("watchdog: fork");
    std::abort();
  }
  if (between == 0) {
    if (fork() != 0) _exit(0);  // forked twice, so that the tests see no child they did not start
    close(ends[0]);
    run_watchdog(tested, ends[1]);
  }
  waitpid(between, nullptr, 0);
  close(ends[1]);
  to_watchdog = ends[0];
}

void watch(const std::string& name) {
  current_test = name;
  tell_watchdog(default_limit());
}

void set_test_timeout(std::chrono::seconds limit) { tell_watchdog(limit * slowness()); }

void unwatch() { tell_watchdog(std::chrono::milliseconds(0)); }

}  // namespace tandem::test
