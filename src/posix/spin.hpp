// Loops that wait for another thread for some nanoseconds, or microseconds, because to sleep would cost more. Owns the decision
// for how long; knows nothing of what is waited for.
#ifndef TANDEM_POSIX_SPIN_HPP
#define TANDEM_POSIX_SPIN_HPP

#include "posix/clock.hpp"

#include <algorithm>
#include <chrono>

namespace tandem::posix {

/// Tells the CPU that we spin: the sibling hardware thread gets its share, and leaving the loop costs less. Takes 3 to 50 ns,
/// by CPU. Never sched_yield: that is a system call, and a loop of it burns a core.
inline void spin_once() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

/// How long a thread looks for what it waits for before it sleeps: not at all, but for a try now and then, until one has found
/// it; from then on for as long as that takes, up to what it costs to be woken (some 50 us on a virtual machine whose CPU has
/// gone idle). One thread's.
///
/// Not at all: a thread that is about to sleep and spins first holds the CPU on which the other one, just woken, could run at
/// once; with an idle virtual CPU, that is twice the round trip.
class spin_budget {
 public:
  /// Calls `is_there()` until it says so: true. False: it is time to sleep.
  template <class Condition>
  [[nodiscard]] bool spend(Condition is_there, steady_time deadline = no_deadline) noexcept {
    if (is_there()) return true;
    const time limit = next();
    if (limit == time::zero()) return false;
    steady_time begin = no_deadline;  // the clock is not looked at before the first turns, which may do
    for (time spent{0};;) {
      for (int i = 0; i < turns; ++i) {
        spin_once();
        if (!is_there()) continue;
        has_paid(spent);
        return true;
      }
      const steady_time now = std::chrono::steady_clock::now();
      begin = std::min(begin, now);
      spent = now - begin;
      if (now >= deadline) return false;
      if (spent < limit) continue;
      has_not_paid();
      return false;
    }
  }

 private:
  using time = std::chrono::steady_clock::duration;
  static constexpr time least = std::chrono::microseconds(10);  // enough for one that is being woken
  static constexpr time most = std::chrono::microseconds(50);
  static constexpr int turns = 8;  // between two looks at the clock
  static constexpr int most_waits = 512;

  [[nodiscard]] time next() noexcept {
    if (limit_ != time::zero()) return limit_;
    if (++waited_ < waits_) return time::zero();
    waited_ = 0;
    return most;
  }
  void has_paid(time spent) noexcept {
    limit_ = std::max(std::clamp(2 * spent, least, most), limit_ - limit_ / 8);
    waits_ = 1;
  }
  void has_not_paid() noexcept {
    waits_ = limit_ != time::zero() ? 1 : std::min(4 * waits_, most_waits);
    limit_ = time::zero();
    waited_ = 0;
  }

  time limit_{0};   // 0: only every waits_-th time, as a try
  int waits_ = 1;   // four times as many after each try in vain
  int waited_ = 0;  // times since the last try
};

}  // namespace tandem::posix

#endif
