// Learning how a child ended.
//
// Owns wait4 and the meaning of its status word. Only the fork server has children; the user's process has
// none of ours.
#ifndef TANDEM_POSIX_REAP_HPP
#define TANDEM_POSIX_REAP_HPP

#include "posix/clock.hpp"
#include "posix/pidfd.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <sys/types.h>

namespace tandem::posix {

/// The end of one child.
struct reaped {
  pid_t pid = -1;
  int status = 0;                        ///< As wait4 gave it; the functions below take it apart.
  std::size_t peak_rss = 0;              ///< Bytes of memory it had resident at most.
  std::chrono::nanoseconds cpu_time{0};  ///< User and system, its own reaped children included.

  [[nodiscard]] bool exited() const noexcept;    ///< Ended by exit or by returning from main.
  [[nodiscard]] int exit_code() const noexcept;  ///< 0 to 255; -1 if it did not exit.
  [[nodiscard]] int signal() const noexcept;     ///< The signal that killed it; 0 if it exited.
};

/// Tells whether the child `pid`, which has ended, exited with code 0; leaves it to be reaped. Never throws.
[[nodiscard]] bool ended_well(pid_t pid) noexcept;

/// Returns a child that has ended and is not reaped, and leaves it so; 0 if there is none. Never throws.
[[nodiscard]] pid_t ended_child() noexcept;

/// From now on whoever loses its parent below this process becomes this process's child, and not init's.
void adopt_orphans() noexcept;

/// Kills and reaps all children, and whoever becomes a child by that, until there is none; with adopt_orphans() these are all
/// processes below this one. Gives up at the deadline: not all can be killed. @throws std::system_error if /proc is
/// missing.
void end_children(steady_time deadline);

/// Reaps a child, `pid`, or any for -1; blocks until it ends. @throws std::system_error (ECHILD).
[[nodiscard]] reaped reap(pid_t pid = -1);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_REAP_HPP
