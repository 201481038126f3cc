// The roster's transitions. Each is one compare-exchange of the word; README.md has the table and the proof.
#include "dispatch/roster.hpp"

#include "posix/futex.hpp"

#include <cassert>

namespace tandem::dispatch {

namespace {

constexpr std::uint64_t top_mask = roster::most_workers;

}  // namespace

roster::roster(int workers, int most_active)
    : most_active_(most_active), beds_(std::make_unique<bed[]>(static_cast<std::size_t>(workers))) {
  assert(workers <= most_workers && most_active <= workers);
}

void roster::change(int searchers, int active) noexcept {
  // Adding to a field is adding to the word: a field never overflows (there are most_workers at the most) and never
  // falls below zero, so none borrows from its neighbour.
  const std::uint64_t step = static_cast<std::uint64_t>(searchers) * searcher_unit +
                             static_cast<std::uint64_t>(active) * active_unit;
  word_.fetch_add(step, std::memory_order_seq_cst);  // ORDER call-park
}

bool roster::wake_one() noexcept { return wake_top(true); }

// Pops the stack of sleepers. The woken one counts as a searcher from this moment on, not only from when it runs:
// until then, further work calls nobody else.
bool roster::wake_top(bool only_if_unserved) noexcept {
  std::uint64_t old = word_.load(std::memory_order_seq_cst);
  for (;;) {
    const view v{old};
    if (v.top() == 0 || (only_if_unserved && v.searchers() != 0)) return false;
    const int index = v.top() - 1;
    // A stale `below` is harmless: if the worker has left the stack since, the tag has changed and the exchange fails.
    const std::uint64_t below = beds_[index].below.load(std::memory_order_acquire);
    const std::uint64_t next = (old & ~top_mask) + below + searcher_unit + tag_unit;
    if (!word_.compare_exchange_weak(old, next, std::memory_order_seq_cst)) continue;
    signal(index);
    return true;
  }
}

bool roster::begin_start() noexcept {
  std::uint64_t old = word_.load(std::memory_order_seq_cst);
  for (;;) {
    const view v{old};
    if (v.searchers() != 0 || v.top() != 0 || v.active() >= most_active_) return false;
    if (word_.compare_exchange_weak(old, old + searcher_unit + active_unit, std::memory_order_seq_cst))
      return true;
  }
}

void roster::undo_start() noexcept { change(-1, -1); }

bool roster::lie_down(int index) noexcept {
  bed& mine = beds_[index];
  mine.state.store(lying, std::memory_order_relaxed);  // nobody else writes it until we show in the word
  std::uint64_t old = word_.load(std::memory_order_relaxed);
  for (;;) {
    const view v{old};
    if (v.ending()) return false;
    mine.below.store(static_cast<std::uint32_t>(v.top()), std::memory_order_release);
    const std::uint64_t next =
        (old & ~top_mask) + static_cast<std::uint64_t>(index + 1) - searcher_unit + tag_unit;
    // ORDER call-park: seq_cst. Pairs with look(): the worker's last search comes behind this.
    if (word_.compare_exchange_weak(old, next, std::memory_order_seq_cst)) return true;
  }
}

void roster::sleep(int index) noexcept { nap(index, posix::no_deadline); }

void roster::prepare_nap(int index) noexcept { beds_[index].state.store(lying, std::memory_order_relaxed); }

bool roster::nap(int index, posix::steady_time deadline) noexcept {
  bed& mine = beds_[index];
  std::uint32_t state = lying;
  // Only a waker that finds us asleep makes the system call. Acquire, here and below: pairs with signal().
  if (!mine.state.compare_exchange_strong(state, asleep, std::memory_order_acq_rel)) return true;
  do {
    if (posix::futex_wait(mine.state, asleep, posix::scope::process_private, deadline) ==
        posix::wait_status::timed_out) {
      // Off duty again, or called at the last moment.
      state = asleep;
      return !mine.state.compare_exchange_strong(state, lying, std::memory_order_acq_rel);
    }
  } while (mine.state.load(std::memory_order_acquire) == asleep);
  return true;
}

void roster::signal(int index) noexcept {
  bed& theirs = beds_[index];
  if (theirs.state.exchange(called, std::memory_order_acq_rel) == asleep)
    posix::futex_wake(theirs.state, 1, posix::scope::process_private);
}

bool roster::leave_if_surplus(bool searching) noexcept {
  std::uint64_t old = word_.load(std::memory_order_relaxed);
  for (;;) {
    if (view{old}.active() <= most_active_) return false;
    const std::uint64_t next = old - active_unit - (searching ? searcher_unit : 0);
    if (word_.compare_exchange_weak(old, next, std::memory_order_seq_cst)) return true;
  }
}

bool roster::end(std::uint64_t bit) noexcept {
  const std::uint64_t old = word_.fetch_or(bit, std::memory_order_seq_cst);
  while (wake_top(false)) {}
  return (old & bit) == 0;
}

}  // namespace tandem::dispatch
