// Handles on processes that, unlike pids, are never reused.
//
// Owns opening, signalling and waiting for them. Reaping one's children is reap.hpp's.
#ifndef TANDEM_POSIX_PIDFD_HPP
#define TANDEM_POSIX_PIDFD_HPP

#include "posix/clock.hpp"
#include "posix/unique_fd.hpp"

#include <sys/types.h>

namespace tandem::posix {

/// Opens a handle on process `pid` (close-on-exec). Free of races only if the process cannot be reaped by
/// anybody meanwhile, that is: for one's own children.
/// @throws std::system_error (ESRCH: no such process; EINVAL: not the id of a process; ENOSYS: Linux before
/// 5.3).
[[nodiscard]] unique_fd pidfd_open(pid_t pid);

/// Sends `signal` (0: only look); returns false if the process has been reaped. To a zombie it is "sent".
/// @throws std::system_error (EPERM, EINVAL, EBADF).
bool pidfd_send_signal(int pidfd, int signal);

/// Waits until the process has ended (it may still be a zombie); false if `deadline` came first. Blocks.
/// The descriptor itself can also be polled together with others: it becomes readable then.
/// @throws std::system_error.
[[nodiscard]] bool wait_for_exit(int pidfd, steady_time deadline = no_deadline);

/// Reaps the ended process behind `pidfd` if, and only if, it is a child of this process; else does nothing.
/// Never blocks. Needed for detached processes where this process is their init: as pid 1 of a container, or
/// as a "child subreaper", it inherits the orphans and would keep them as zombies. Returns whether it reaped.
bool reap_if_adopted(int pidfd) noexcept;

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_PIDFD_HPP
