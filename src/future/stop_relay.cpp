// Stop tokens for the branches of a join.
#include "future/stop_relay.hpp"

#include <tandem/detail/context.hpp>

#include <memory>
#include <utility>

namespace tandem::detail {

std::stop_token stop_token_of(const task_context* task) {
  if (task == nullptr) return {};
  return task->task != nullptr ? task->task->stop_token() : task->tokens->stop_token();
}

std::stop_token join::stop_token() {
  if (stop_relay* there = relay_.load(std::memory_order_acquire)) return there->source().get_token();
  const bool is_outermost = within_ == nullptr || within_->task_ != task_;
  auto made = std::make_unique<stop_relay>(within_ != nullptr ? within_->stop_token() : std::stop_token(),
                                           is_outermost ? stop_token_of(task_) : std::stop_token());
  std::stop_source source = made->source();
  {
    const std::lock_guard lock(stop_relays());
    // Another branch may have been quicker.
    if (stop_relay* there = relay_.load(std::memory_order_relaxed)) return there->source().get_token();
    relay_.store(made.release(), std::memory_order_seq_cst);
  }
  // ORDER join-stop: pairs with cancel(). Either that one finds the relay, or we see that it was here.
  if (is_cancelled_.load(std::memory_order_seq_cst)) source.request_stop();
  return source.get_token();
}

}  // namespace tandem::detail
