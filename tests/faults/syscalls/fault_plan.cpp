// The plan's memory, and whose process this is.
#include "faults/syscalls/fault_plan.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The plan is set up with the real calls: its own must not be counted, nor fail.
extern "C" {
void* __real_mmap(void*, size_t, int, int, int, off_t);
int __real_open(const char*, int, ...);
}

namespace tandem::test {
namespace {

constexpr char variable[] = "TANDEM_TEST_FAULT_PLAN";

role here = role::parent;
fault_plan* plan = nullptr;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::abort();
}

fault_plan* map(int fd) {
  void* const memory = __real_mmap(nullptr, sizeof(fault_plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) give_up("mapping the plan");
  return static_cast<fault_plan*>(memory);
}

// The parent makes it; the fork server, which closes what it inherits, opens it by the parent's descriptor.
const bool set_up = [] {
  if (const char* const path = std::getenv(variable)) {
    here = role::server;
    const int fd = __real_open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) plan = map(fd);
    if (fd >= 0) ::close(fd);
  } else {
    const int fd = static_cast<int>(::syscall(SYS_memfd_create, "fault-plan", MFD_CLOEXEC));
    if (fd < 0 || ::syscall(SYS_ftruncate, fd, sizeof(fault_plan)) != 0) give_up("making the plan");
    plan = new (map(fd)) fault_plan;
    const std::string own = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
    ::setenv(variable, own.c_str(), 1);
  }
  ::pthread_atfork(nullptr, nullptr, [] { here = role::worker; });
  return true;
}();

}  // namespace

const char* name_of(call which) noexcept {
  static constexpr std::array<const char*, static_cast<std::size_t>(call::count)> names = {
      "memfd_create",
      "ftruncate",
      "fstat",
      "mmap",
      "mprotect",
      "fcntl(F_DUPFD)",
      "fcntl(F_ADD_SEALS)",
      "fcntl(F_SETFD)",
      "socketpair",
      "sendmsg",
      "recvmsg",
      "eventfd",
      "read",
      "write",
      "ppoll",
      "open",
      "opendir",
      "readlink",
      "clone",
      "fork",
      "kill",
      "setpgid",
      "prctl",
      "wait4",
      "waitid",
      "waitpid",
      "dup2",
      "pread",
      "pwrite",
      "fallocate",
      "fstatfs",
      "signalfd",
      "sigaltstack",
      "getrlimit",
      "setrlimit",
      "sched_getaffinity",
      "futex wait",
      "pidfd_open",
      "pidfd_send_signal",
      "close_range",
      "exec"};
  return names[static_cast<std::size_t>(which)];
}

const char* name_of(role who) noexcept {
  return who == role::parent ? "the parent" : who == role::server ? "the fork server" : "a worker";
}

fault_plan& the_plan() noexcept { return *plan; }

// Called also between vfork and exec, on a small stack in memory that is not our own: no more than this.
__attribute__((no_sanitize("address", "thread", "undefined"))) bool shall_fail(call which) noexcept {
  if (plan == nullptr || !plan->armed.load(std::memory_order_relaxed)) return false;
  if (plan->who.load(std::memory_order_relaxed) != static_cast<int>(here)) return false;
  if (plan->which.load(std::memory_order_relaxed) != static_cast<int>(which)) return false;
  const int left = plan->left.fetch_sub(1, std::memory_order_relaxed);
  if (left != 1 && !(left < 1 && plan->lasting.load(std::memory_order_relaxed))) return false;
  plan->reached.store(true, std::memory_order_relaxed);
  errno = plan->error.load(std::memory_order_relaxed);
  return true;
}

}  // namespace tandem::test
