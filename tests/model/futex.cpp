// The futex of posix/futex.hpp, for programs that are explored: compares and falls asleep in one step, as the kernel
// does. A wake-up may also come for no reason; whoever sleeps until a moment may find it over at any time.
#include "posix/futex.hpp"
#include "posix/cpus.hpp"

#include "model/explorer.hpp"

namespace tandem::posix {

int usable_cpus() { return 1; }  // so nobody spins: that would be many steps, and none of interest

wait_status futex_wait(const TANDEM_ATOMIC<std::uint32_t>& word, std::uint32_t expected, scope who) noexcept {
  return futex_wait(word, expected, who, no_deadline);
}

wait_status futex_wait(const TANDEM_ATOMIC<std::uint32_t>& word, std::uint32_t expected, scope,
                       steady_time deadline) noexcept {
  model::detail::step();
  if (word.newest() != expected) return wait_status::value_changed;
  return model::detail::sleep_on(&word, deadline != no_deadline) ? wait_status::woken
                                                                 : wait_status::timed_out;
}

int futex_wake(const TANDEM_ATOMIC<std::uint32_t>* word, int count, scope) noexcept {
  model::detail::step();
  return model::detail::wake(word, count);
}

}  // namespace tandem::posix
