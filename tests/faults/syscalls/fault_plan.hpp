// Which system call shall fail, in which of a pool's processes, at which use, and how: one plan, in memory that the pool's
// process, its fork server and its workers share. Owns the plan and knowing which of them this process is; who looks at it
// is interposed.cpp, who makes it is the test.
#ifndef TANDEM_TESTS_FAULTS_SYSCALLS_FAULT_PLAN_HPP
#define TANDEM_TESTS_FAULTS_SYSCALLS_FAULT_PLAN_HPP

#include <array>
#include <atomic>
#include <cstddef>

namespace tandem::test {

/// The processes of a pool. With start_method::fork the fork server, which is a fork of the parent, counts as a worker.
enum class role : int { parent, server, worker };

/// The calls that can be made to fail, as src/posix makes them.
enum class call : int {
  memfd_create,
  ftruncate,
  fstat,
  mmap,
  mprotect,
  duplicate,  // fcntl, F_DUPFD_CLOEXEC
  seal,       // fcntl, F_ADD_SEALS
  set_flags,  // fcntl, F_SETFD
  socketpair,
  sendmsg,
  recvmsg,
  eventfd,
  read,
  write,
  ppoll,
  open,
  opendir,
  readlink,
  clone,
  fork,
  kill,
  setpgid,
  prctl,
  wait4,
  waitid,
  waitpid,
  dup2,
  pread,
  pwrite,
  fallocate,
  fstatfs,
  signalfd,
  sigaltstack,
  getrlimit,
  setrlimit,
  affinity,
  futex_wait,
  pidfd_open,
  pidfd_send_signal,
  close_range,
  exec,
  count
};

/// Their names, for messages.
[[nodiscard]] const char* name_of(call which) noexcept;
[[nodiscard]] const char* name_of(role who) noexcept;

struct fault_plan {
  std::atomic<bool> armed{false};
  std::atomic<int> who{0};
  std::atomic<int> which{0};
  std::atomic<int> error{0};
  std::atomic<bool> lasting{false};  // all later uses fail, too
  std::atomic<int> left{0};          // uses that still succeed, and one
  std::atomic<bool> reached{false};
};

/// The plan of this pool's processes. Made when the program is loaded; one that was started by such a program gets it
/// through the environment.
[[nodiscard]] fault_plan& the_plan() noexcept;

/// Asked at each use: true if this one shall fail, with errno set.
[[nodiscard]] bool shall_fail(call which) noexcept;

}  // namespace tandem::test

#endif
