// The process's descriptor table as a whole.
//
// Owns closing what was inherited and keeping 0 to 2 in order. A single descriptor's owner is unique_fd.hpp.
#ifndef TANDEM_POSIX_DESCRIPTORS_HPP
#define TANDEM_POSIX_DESCRIPTORS_HPP

#include "posix/unique_fd.hpp"

#include <span>
#include <vector>

namespace tandem::posix {

/// Closes every open descriptor >= `first` that is not in `except` (any order, duplicates and closed ones
/// welcome). For fresh processes only: it closes under the feet of whoever owns them. Uses close_range(2), or
/// /proc/self/fd where the kernel has none.
/// @throws std::system_error if neither works.
void close_range_from(int first, std::span<const int> except = {});

/// Returns all open descriptors, ascending. A snapshot: other threads may change it at once.
/// @throws std::system_error if /proc is missing.
[[nodiscard]] std::vector<int> open_descriptors();

/// Makes descriptor 0 read from /dev/null, so that a worker does not compete with the parent for its input.
/// @throws std::system_error.
void redirect_stdin_to_null();

/// Returns `fd`, moved to a number above 2 if it is not there yet. @throws std::system_error.
[[nodiscard]] unique_fd above_stdio(unique_fd fd);

/// Sets or clears close-on-exec. @throws std::system_error.
void set_close_on_exec(int fd, bool on);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_DESCRIPTORS_HPP
