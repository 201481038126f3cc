// Sleeping on, and waking sleepers of, a 32-bit word.
//
// Owns the futex system call. Decides nothing: the protocols (who sets the word, who must wake) belong to the
// callers. Not std::atomic::wait: that one cannot be shared between processes and has 16 buckets in all.
#ifndef TANDEM_POSIX_FUTEX_HPP
#define TANDEM_POSIX_FUTEX_HPP

#include <tandem/config.hpp>

#include "posix/clock.hpp"

#include <atomic>
#include <cstdint>
#include <limits>

namespace tandem::posix {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free,
              "the kernel reads the word as a plain 32-bit integer");

/// Who may sleep on a word. Waiter and waker must agree, else the wake goes nowhere.
enum class scope {
  process_private,  ///< Threads of this process only: the kernel need not look the page up, so it is cheaper.
  process_shared,   ///< Any process that has mapped the same page with MAP_SHARED.
};

/// Why futex_wait returned.
enum class wait_status {
  woken,  ///< A wake-up; possibly one meant for an earlier user of the address: look at the word again.
  value_changed,  ///< The word did not hold the expected value; did not sleep.
  timed_out,      ///< The deadline passed.
  interrupted,    ///< A signal handler ran in this thread: look at the word again.
};

/// Wakes everybody, as the count of futex_wake.
inline constexpr int wake_all = std::numeric_limits<int>::max();

/// Sleeps while `word` holds `expected`, until somebody wakes it; blocks, thread-safe.
/// The kernel compares and goes to sleep in one step: a waker that first changes the word and then calls
/// futex_wake is never missed. Every return value but value_changed may be spurious, so callers loop.
wait_status futex_wait(const TANDEM_ATOMIC<std::uint32_t>& word, std::uint32_t expected, scope who) noexcept;

/// The same, until `deadline` at the latest.
wait_status futex_wait(const TANDEM_ATOMIC<std::uint32_t>& word, std::uint32_t expected, scope who,
                       steady_time deadline) noexcept;

/// Wakes up to `count` threads that sleep on the word at `word`; returns how many. Does not block.
/// The address is only looked up, never read or written, and an address that has meanwhile become invalid is
/// ignored: a waker may therefore lose a race against the waiter that, seeing the changed word, frees it.
int futex_wake(const TANDEM_ATOMIC<std::uint32_t>* word, int count, scope who) noexcept;

/// The same for a word that is known to be alive.
inline int futex_wake(const TANDEM_ATOMIC<std::uint32_t>& word, int count, scope who) noexcept {
  return futex_wake(&word, count, who);
}

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_FUTEX_HPP
