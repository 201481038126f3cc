#include "posix/futex.hpp"

#include <array>
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

// Since Linux 5.16; glibc 2.36 has the number, but older headers have not. It is the same on all architectures but alpha.
constexpr long futex_waitv_number = 449;

// As the kernel's futex_waitv.
struct waiter {
  std::uint64_t expected;
  std::uint64_t address;
  std::uint32_t flags;
  std::uint32_t reserved;
};

waiter to_waiter(const awaited_word& a) noexcept {
  constexpr std::uint32_t word_of_32_bits = 2;  // FUTEX_32
  return {a.expected, reinterpret_cast<std::uint64_t>(&a.word),
          word_of_32_bits | (a.who == scope::process_private ? std::uint32_t{FUTEX_PRIVATE_FLAG} : 0), 0};
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

wait_status futex_wait_either(const awaited_word& one, const awaited_word& other,
                              steady_time deadline) noexcept {
  const std::array<waiter, 2> both{to_waiter(one), to_waiter(other)};
  const timespec until = to_timespec(deadline);
  const long result = ::syscall(futex_waitv_number, both.data(), both.size(), 0,
                                deadline == no_deadline ? nullptr : &until, CLOCK_MONOTONIC);
  if (result >= 0) return wait_status::woken;
  // ENOMEM, say, or whatever a seccomp filter answers that does not know the call: who cannot sleep on two words does so on one.
  if (errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT) return wait_status::unsupported;
  return status_of(errno);
}

int futex_wake(const TANDEM_ATOMIC<std::uint32_t>* word, int count, scope who) noexcept {
  const int error = errno;
  const long woken = ::syscall(SYS_futex, word, operation(FUTEX_WAKE, who), count, nullptr, nullptr, 0);
  if (woken >= 0) return static_cast<int>(woken);
  errno = error;  // EFAULT: the word is gone, see the header. Its waiters cannot be sleeping then.
  return 0;
}

}  // namespace tandem::posix
