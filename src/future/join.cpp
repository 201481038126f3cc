// Where branches come together.
#include <tandem/detail/branch.hpp>

#include <tandem/detail/context.hpp>

#include "future/stop_relay.hpp"
#include "posix/futex.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace tandem::detail {

thread_local constinit join* this_join = nullptr;
TANDEM_ATOMIC<std::uint64_t> join::cancellations_{0};

void join::fail(std::exception_ptr error) noexcept {
  if (has_error_.exchange(true, std::memory_order_relaxed)) return;
  error_ = std::move(error);  // published by come_back()
  cancel();
}

void join::cancel() noexcept {
  is_cancelled_.store(true, std::memory_order_seq_cst);
  // Release: whoever sees the number changed sees what was cancelled.
  cancellations_.fetch_add(1, std::memory_order_release);
  if (relay_.load(std::memory_order_seq_cst) == nullptr) return;  // ORDER join-stop: see stop_token()
  std::stop_source source(std::nostopstate);
  {
    const std::lock_guard lock(stop_relays());
    if (stop_relay* relay = relay_.load(std::memory_order_relaxed)) source = relay->source();
  }
  source.request_stop();
}

std::mutex& stop_relays() noexcept {
  static constinit std::mutex mutex;
  return mutex;
}

// When all branches are back; who cancels may be here.
void join::drop_relay() noexcept {
  std::unique_ptr<stop_relay> gone;  // freed outside the mutex
  const std::lock_guard lock(stop_relays());
  gone.reset(relay_.exchange(nullptr, std::memory_order_relaxed));
}

bool join::look_for_cancel() const noexcept {
  const std::uint64_t now = cancellations_.load(std::memory_order_acquire);
  for (const join* j = this; j != nullptr; j = j->within_) {
    if (j->is_cancelled_.load(std::memory_order_relaxed)) return true;
  }
  // Those around too: what is made in them later begins with what they know.
  for (const join* j = this; j != nullptr; j = j->within_) j->seen_.store(now, std::memory_order_relaxed);
  return false;
}

std::exception_ptr join::take_error() noexcept {
  if (is_cancelled_.load(std::memory_order_relaxed)) {
    if (relay_.load(std::memory_order_relaxed) != nullptr) drop_relay();  // it cannot be used again
    is_cancelled_.store(false, std::memory_order_relaxed);
  }
  if (!has_error_.load(std::memory_order_relaxed)) return nullptr;
  has_error_.store(false, std::memory_order_relaxed);
  return std::exchange(error_, nullptr);
}

// Release: who waits sees what the branch has done. From here on the join is not ours: whoever sleeps is woken by its
// address alone.
void join::come_back() noexcept {
  const std::uint32_t left = balance_.fetch_sub(one, std::memory_order_acq_rel) - one;
  if (left == has_waiter) posix::futex_wake(&balance_, posix::wake_all, posix::scope::process_private);
}

// Until all are back.
void join::sleep() noexcept {
  balance_.fetch_add(static_cast<std::uint32_t>(std::exchange(own_, 0)) * one, std::memory_order_relaxed);
  std::uint32_t now = balance_.fetch_or(has_waiter, std::memory_order_acq_rel) | has_waiter;
  while (now != has_waiter) {
    posix::futex_wait(balance_, now, posix::scope::process_private);
    now = balance_.load(std::memory_order_acquire);
  }
  balance_.fetch_and(~has_waiter, std::memory_order_relaxed);
}

}  // namespace tandem::detail
