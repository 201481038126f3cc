#include "posix/futex.hpp"

#include <cerrno>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tandem::posix {
namespace {

int operation(int op, scope who) noexcept {
  return who == scope::process_private ? op | FUTEX_PRIVATE_FLAG : op;
}

wait_status status_of(int error) noexcept {
  switch (error) {
    case EAGAIN:
      return wait_status::value_changed;
    case ETIMEDOUT:
      return wait_status::timed_out;
    default:
      // EINTR. Anything else (EFAULT, EINVAL) is a bug of the caller; "look again" is the safe answer to it.
      return wait_status::interrupted;
  }
}

}  // namespace

wait_status futex_wait(const TANDEM_ATOMIC<std::uint32_t>& word, std::uint32_t expected, scope who) noexcept {
  return futex_wait(word, expected, who, no_deadline);
}

wait_status futex_wait(const TANDEM_ATOMIC<std::uint32_t>& word, std::uint32_t expected, scope who,
                       steady_time deadline) noexcept {
  // FUTEX_WAIT_BITSET and not FUTEX_WAIT: its timeout is absolute, on CLOCK_MONOTONIC, so that a caller who
  // loops over wake-ups and signals does not drift.
  const timespec until = to_timespec(deadline);
  const long result = ::syscall(SYS_futex, &word, operation(FUTEX_WAIT_BITSET, who), expected,
                                deadline == no_deadline ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 ? wait_status::woken : status_of(errno);
}

int futex_wake(const TANDEM_ATOMIC<std::uint32_t>* word, int count, scope who) noexcept {
  const int error = errno;
  const long woken = ::syscall(SYS_futex, word, operation(FUTEX_WAKE, who), count, nullptr, nullptr, 0);
  if (woken >= 0) return static_cast<int>(woken);
  errno = error;  // EFAULT: the word is gone, see the header. Its waiters cannot be sleeping then.
  return 0;
}

}  // namespace tandem::posix
