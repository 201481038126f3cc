#include "thread_pool/interruption.hpp"

namespace tandem::detail {

void interruption::interrupt(const core& task) noexcept {
  if (claimed_.load(std::memory_order_acquire) != &task) return;
  const std::lock_guard held(mutex_);
  if (claimed_.load(std::memory_order_relaxed) != &task) return;
  interrupted_ = true;
  thread_->interrupt();
}

void interruption::task_left(const core& task) noexcept {
  const std::lock_guard held(mutex_);
  if (claimed_.load(std::memory_order_relaxed) != &task) return;  // it ran inside of ours
  claimed_.store(nullptr, std::memory_order_relaxed);
  (void)take_back();
}

// True if the worker had been interrupted and had not noticed.
bool interruption::leave(const core* next) noexcept {
  const std::lock_guard held(mutex_);
  claimed_.store(next, std::memory_order_release);
  return take_back();
}

// With mutex_ held, on the worker.
bool interruption::take_back() noexcept {
  if (!std::exchange(interrupted_, false) || !boost::this_thread::interruption_requested()) return false;
  try {
    boost::this_thread::interruption_point();  // there is no other way to clear it
  } catch (const boost::thread_interrupted&) {
    // That was it.
  }
  return true;
}

interruption::detour::detour(interruption& of, core& inner) noexcept
    : of_(of), outer_(const_cast<core*>(of.claimed_.load(std::memory_order_relaxed))) {
  of_.claim(inner);
  // ORDER interrupt: a request that comes behind this look finds the inner task claimed. Of one that came before, the
  // interruption may be on its way: then we wait for the mutex.
  asked_before_ = outer_ != nullptr && outer_->was_asked_to_stop();
  if (asked_before_) pending_ = of_.leave(&inner);
}

const core* interruption::detour::end(bool inner_ran) noexcept {
  if (inner_ran) {
    of_.claimed_.store(outer_, std::memory_order_release);
  } else {
    (void)of_.leave(outer_);  // whoever meant the inner task may have met us
  }
  if (outer_ == nullptr) return nullptr;
  // ORDER interrupt: of a request that came before this look, nobody may have interrupted us; one that comes behind it
  // finds the outer task claimed.
  const bool asked = outer_->was_asked_to_stop();
  return pending_ || (asked && !asked_before_) ? outer_ : nullptr;
}

}  // namespace tandem::detail
