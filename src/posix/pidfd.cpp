#include "posix/pidfd.hpp"

#include "posix/check.hpp"
#include "posix/descriptors.hpp"
#include "posix/poll.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tandem::posix {

// Raw system calls throughout: glibc has wrappers only since 2.36.

unique_fd pidfd_open(pid_t pid) {
  const long fd = checked(::syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
  return above_stdio(unique_fd(static_cast<int>(fd)));
}

bool pidfd_send_signal(int pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  throw_errno("pidfd_send_signal");
}

bool wait_for_exit(int pidfd, steady_time deadline) { return wait_readable(pidfd, deadline); }

bool reap_if_adopted(int pidfd) noexcept {
  siginfo_t info{};
  // __WALL: also while the process still has the exit signal 0 that spawn_detached's helper had.
  const int result = retry_on_eintr(
      [&] { return ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | __WALL); });
  return result == 0 && info.si_pid != 0;
}

}  // namespace tandem::posix
