// Whether this process is still the one in which something was made, or a fork of it.
//
// Owns the process's one pthread_atfork handler, which only counts. A forked child has our memory but none of our
// threads: whatever waits for a thread asks here first.
#ifndef TANDEM_POSIX_FORK_WATCH_HPP
#define TANDEM_POSIX_FORK_WATCH_HPP

#include <atomic>
#include <cstdint>

namespace tandem::posix {

namespace detail {
extern std::atomic<std::uint32_t> forks;
}

/// Returns how many forks lie between the first process and this one. Constant in a process; costs one load.
[[nodiscard]] inline std::uint32_t fork_generation() noexcept {
  return detail::forks.load(std::memory_order_relaxed);
}

/// Makes fork_generation() count. Before anything remembers a generation; later calls do nothing.
/// @throws std::bad_alloc
void watch_forks();

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_FORK_WATCH_HPP
