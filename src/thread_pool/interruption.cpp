#include "thread_pool/interruption.hpp"

#include <utility>

namespace tandem::detail {

void interruption::interrupt(const core& task) noexcept {
  if (claimed_.load(std::memory_order_acquire) != &task) return;
  const std::lock_guard held(mutex_);
  if (claimed_.load(std::memory_order_relaxed) != &task) return;
  interrupted_ = true;
  delivered_ = true;
  thread_->interrupt();
}

void interruption::task_left(const core& task) noexcept {
  const std::lock_guard held(mutex_);
  if (claimed_.load(std::memory_order_relaxed) != &task) return;  // it ran inside of ours
  claimed_.store(nullptr, std::memory_order_relaxed);
  delivered_ = false;
  (void)take_back();
}

interruption::memory interruption::leave(const core* next) noexcept {
  const std::lock_guard held(mutex_);
  claimed_.store(next, std::memory_order_release);
  const bool delivered = std::exchange(delivered_, false);
  return {delivered, take_back()};
}

// With mutex_ held, on the worker. True if it had been interrupted and had not noticed.
bool interruption::take_back() noexcept {
  if (!std::exchange(interrupted_, false)) return false;
  // Not by an interruption_point(): the task may have disabled interruptions here.
  boost::detail::thread_data_base& here = *boost::detail::get_current_thread_data();
  const boost::lock_guard<boost::mutex> held(here.data_mutex);
  return std::exchange(here.interrupt_requested, false);
}

interruption::detour::detour(interruption& of, core& inner) noexcept
    : of_(of), outer_(const_cast<core*>(of.claimed_.load(std::memory_order_relaxed))) {
  of_.claim(inner);
  // ORDER interrupt: a request that comes behind this look finds the inner task claimed. Of one that came before, the
  // interruption may be here, or on its way and too late: the mutex tells which.
  if (outer_ != nullptr && outer_->was_asked_to_stop()) before_ = of_.leave(&inner);
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
  if (before_.unnoticed || (asked && !before_.delivered)) return outer_;
  if (before_.delivered) of_.remember_delivery();
  return nullptr;
}

void interruption::remember_delivery() noexcept {
  const std::lock_guard held(mutex_);
  delivered_ = true;
}

}  // namespace tandem::detail
