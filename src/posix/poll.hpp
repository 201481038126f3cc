// Waiting for several descriptors at once.
//
// Owns ::ppoll and its deadline. For waits on memory words see futex.hpp.
#ifndef TANDEM_POSIX_POLL_HPP
#define TANDEM_POSIX_POLL_HPP

#include "posix/clock.hpp"

#include <span>

#include <poll.h>

namespace tandem::posix {

/// Returns an entry for poll_until that waits for `fd` to become readable, to reach its end, or to fail. A
/// negative `fd` is an entry that never becomes ready.
[[nodiscard]] constexpr pollfd readable(int fd) noexcept { return {fd, POLLIN, 0}; }

/// Waits until one of `entries` is ready, and sets their `revents`; returns how many are, 0 if `deadline`
/// came first. A deadline in the past looks once and does not block. Signals do not end the wait.
/// @throws std::system_error.
int poll_until(std::span<pollfd> entries, steady_time deadline = no_deadline);

/// Waits until the other end of the connection `fd` is closed, whatever is still to be read; false if `deadline` came
/// first. @throws std::system_error.
[[nodiscard]] bool wait_hung_up(int fd, steady_time deadline = no_deadline);

/// Waits until `fd` is readable or at its end; false if `deadline` came first. @throws std::system_error.
[[nodiscard]] bool wait_readable(int fd, steady_time deadline = no_deadline);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_POLL_HPP
