// The roster's transitions. Each is one compare-exchange of the word; README.md has the table and the proof.
#include "dispatch/roster.hpp"

#include "posix/futex.hpp"

#include <cassert>

namespace tandem::dispatch {

namespace {

constexpr std::uint64_t top_mask = roster::most_workers;

}  // namespace

roster::roster(int workers, int most_active) : most_active_(most_active) {
  assert(workers <= most_workers && most_active <= workers);
  beds_.reserve(workers);
}

void roster::set_most_active(int count) noexcept {
  // ORDER call-park: seq_cst. Whoever publishes work and sees the old number calls nobody; the work is found by the
  // look for it that the caller of this makes afterwards.
  most_active_.store(count, std::memory_order_seq_cst);
  shrunk_.store(true, std::memory_order_seq_cst);
}

void roster::change(int searchers, int active) noexcept {
  // Adding to a field is adding to the word: a field never overflows (there are most_workers at the most) and never
  // falls below zero, so none borrows from its neighbour.
  const std::uint64_t step = static_cast<std::uint64_t>(searchers) * searcher_unit +
                             static_cast<std::uint64_t>(active) * active_unit;
  word_.fetch_add(step, std::memory_order_seq_cst);  // ORDER call-park
}

// Pops the stack of sleepers. The called one counts as a searcher from this moment on, not only from when it runs:
// until then, further work calls nobody else.
roster::call roster::call_top(bool only_if_unserved, bool also_vacant) noexcept {
  call result;
  std::uint64_t old = word_.load(std::memory_order_seq_cst);
  for (;;) {
    const view v{old};
    if (v.top() == 0 || (only_if_unserved && v.searchers() != 0)) return result;
    const int index = v.top() - 1;
    // ORDER vacate: acquire pairs with vacate(). An old value is harmless: signal() says what the bed really was.
    if (!also_vacant && beds_[index].state.load(std::memory_order_acquire) == vacant) {
      result.what = call::outcome::asked;
      return result;
    }
    // A stale `below` is harmless: if the worker has left the stack since, the tag has changed and the exchange fails.
    const std::uint64_t below = beds_[index].below.load(std::memory_order_acquire);
    const std::uint64_t next = (old & ~top_mask) + below + searcher_unit + tag_unit;
    if (!word_.compare_exchange_weak(old, next, std::memory_order_seq_cst)) continue;
    const std::uint32_t was = signal(index);
    if (was != ending) {  // vacant also when it is so only since we have looked
      result.what = was == vacant ? call::outcome::vacant : call::outcome::woken;
      result.index = index;
      return result;
    }
    // It runs the user's finalizer, and for how long nobody knows. Others may have counted on it as a searcher: we go
    // on to call somebody else, and who finds nobody looks for work once more (rule 2).
    undo_start();
    result.passed = true;
    old = word_.load(std::memory_order_seq_cst);
  }
}

bool roster::begin_start() noexcept {
  std::uint64_t old = word_.load(std::memory_order_seq_cst);
  for (;;) {
    const view v{old};
    if (v.searchers() != 0 || v.top() != 0 || v.active() >= most_active()) return false;
    if (word_.compare_exchange_weak(old, old + searcher_unit + active_unit, std::memory_order_seq_cst))
      return true;
  }
}

void roster::undo_start() noexcept { change(-1, -1); }

void roster::enter() noexcept {
  const view before{word_.fetch_add(active_unit, std::memory_order_seq_cst)};  // ORDER call-park
  if (before.active() >= most_active()) shrunk_.store(true, std::memory_order_seq_cst);
}

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

bool roster::sleep(int index, posix::steady_time deadline) noexcept { return doze(index, deadline, ending); }

bool roster::vacate(int index) noexcept {
  std::uint32_t state = ending;
  // ORDER vacate: release pairs with signal(): who finds the bed vacant finds all that its thread has done with.
  return beds_[index].state.compare_exchange_strong(state, vacant, std::memory_order_acq_rel);
}

void roster::prepare_nap(int index) noexcept { beds_[index].state.store(lying, std::memory_order_relaxed); }

bool roster::nap(int index, posix::steady_time deadline) noexcept { return doze(index, deadline, lying); }

// False when the time is over; the bed is `if_over` then.
bool roster::doze(int index, posix::steady_time deadline, std::uint32_t if_over) noexcept {
  bed& mine = beds_[index];
  std::uint32_t state = lying;
  // Only a waker that finds us asleep makes the system call. Acquire, here and below: pairs with signal().
  if (!mine.state.compare_exchange_strong(state, asleep, std::memory_order_acq_rel)) return true;
  do {
    if (posix::futex_wait(mine.state, asleep, posix::scope::process_private, deadline) ==
        posix::wait_status::timed_out) {
      state = asleep;  // if it is not any more, we were called at the last moment
      return !mine.state.compare_exchange_strong(state, if_over, std::memory_order_acq_rel);
    }
  } while (mine.state.load(std::memory_order_acquire) == asleep);
  return true;
}

// Returns what the bed was.
std::uint32_t roster::signal(int index) noexcept {
  bed& theirs = beds_[index];
  const std::uint32_t was = theirs.state.exchange(called, std::memory_order_acq_rel);
  if (was == asleep) posix::futex_wake(theirs.state, 1, posix::scope::process_private);
  return was;
}

bool roster::leave_if_surplus(bool searching) noexcept {
  std::uint64_t old = word_.load(std::memory_order_seq_cst);
  while (view{old}.active() > most_active()) {
    const std::uint64_t next = old - active_unit - (searching ? searcher_unit : 0);
    if (word_.compare_exchange_weak(old, next, std::memory_order_seq_cst)) return true;
  }
  if (may_be_surplus()) {
    // Cleared first, then looked at: a set_most_active() behind this sets it again, and of one before we see the number.
    shrunk_.store(false, std::memory_order_seq_cst);
    if (look().active() > most_active()) shrunk_.store(true, std::memory_order_seq_cst);
  }
  return false;
}

bool roster::set(std::uint64_t bit) noexcept {
  return (word_.fetch_or(bit, std::memory_order_seq_cst) & bit) == 0;
}

}  // namespace tandem::dispatch
