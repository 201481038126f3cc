// The word in a ring's header by which the worker wakes whoever sleeps until it has something to tell: the manager, which
// sleeps on all rings at once, or a thread that attends this one (attendance.cpp). Owns the word and its protocol; README.md has
// the pairs. Lies in memory that the worker may have overwritten: whoever is woken looks, and believes nothing.
#ifndef TANDEM_PROCESS_POOL_DOORBELL_HPP
#define TANDEM_PROCESS_POOL_DOORBELL_HPP

#include "posix/futex.hpp"

#include <tandem/config.hpp>
#include <tandem/detail/core.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace tandem::process {

class doorbell {
 public:
  enum class sleeper : std::uint32_t {
    nobody,    // whoever is interested is awake, and looks
    manager,   // sleeps on the pool's bell
    attendant  // sleeps on this word: sleep()
  };

  /// The parent's, under the pool's mutex. Whoever is about to sleep looks at the slots behind it.
  /// ORDER parent-park, attendant-park: pairs with ring(). We store who sleeps and then look at the slot; the worker stores the
  /// slot and then looks here. All are seq_cst: one of us sees the other.
  void now_sleeps(sleeper who) noexcept {
    word_.store(static_cast<std::uint32_t>(who), std::memory_order_seq_cst);
  }

  /// The attendant's, under the pool's mutex: true if it may sleep(). `is_over` looks at the slot, and whether the task is
  /// still in it.
  template <class Look>
  [[nodiscard]] bool stays_silent(Look is_over) noexcept {
    if (is_over()) return false;
    now_sleeps(sleeper::attendant);  // ORDER attendant-park: before we look at the slot again
    return !is_over();
  }

  /// The attendant's, behind that and without the mutex: until somebody rings or calls it, or for no reason. False at the
  /// deadline.
  [[nodiscard]] bool sleep(const std::optional<detail::time_point>& deadline) const noexcept {
    return posix::futex_wait(word_, static_cast<std::uint32_t>(sleeper::attendant),
                             posix::scope::process_shared,
                             deadline.value_or(posix::no_deadline)) != posix::wait_status::timed_out;
  }

  /// The parent's, under the pool's mutex and behind whatever ends the attendance: the attendant wakes up, or does not fall
  /// asleep. To wake it does not depend on what the worker has made of the word.
  void call_attendant() noexcept {
    now_sleeps(sleeper::nobody);
    posix::futex_wake(word_, 1, posix::scope::process_shared);
  }

  /// The attendant's, which leaves the ring to the manager. True if that one has to come: `is_needed` looks at the slot.
  template <class Look>
  [[nodiscard]] bool give_back(bool manager_sleeps, Look is_needed) noexcept {
    // ORDER parent-park: as park() does, we look at the slot behind this, on the manager's behalf.
    now_sleeps(manager_sleeps ? sleeper::manager : sleeper::nobody);
    return is_needed();
  }

  /// The worker's, behind its store of a slot's state or of its life. The manager is woken by `raise_bell`. True if somebody was.
  template <class RaiseBell>
  bool ring(RaiseBell raise_bell) noexcept {
    if (who() == sleeper::nobody) return false;
    switch (static_cast<sleeper>(word_.exchange(0, std::memory_order_seq_cst))) {
      case sleeper::manager:
        raise_bell();
        return true;
      case sleeper::attendant:
        posix::futex_wake(word_, 1, posix::scope::process_shared);
        return true;
      default:  // nobody; or what a task has written there
        return false;
    }
  }

 private:
  [[nodiscard]] sleeper who() const noexcept {
    return static_cast<sleeper>(word_.load(std::memory_order_seq_cst));
  }

  TANDEM_ATOMIC<std::uint32_t> word_;
};

}  // namespace tandem::process

#endif
