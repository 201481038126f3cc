#include "executor/outsiders.hpp"

#include <tandem/this_task.hpp>

#include "posix/futex.hpp"

namespace tandem::detail {

namespace {
// The visits that this thread is in, innermost first.
thread_local constinit const outsiders::visit* innermost = nullptr;
}  // namespace

outsiders::visit::visit(outsiders& whom) noexcept : whom_(whom), outer_(innermost) {
  // ORDER outsiders: seq_cst, before we look whether the pool is closed, or take anything out of its queue. Whoever ends
  // the pool closes it, finds the queue empty and then looks at the visits: it waits for us, or we find it closed and
  // nothing to take.
  whom.word_.fetch_add(one_visit, std::memory_order_seq_cst);
  innermost = this;
}

outsiders::visit::~visit() {
  innermost = outer_;
  if (whom_.word_.fetch_sub(one_visit, std::memory_order_seq_cst) == (awaited_bit | one_visit))
    posix::futex_wake(whom_.word_, posix::wake_all, posix::scope::process_private);
}

bool outsiders::is_here() const noexcept {
  const visit* v = innermost;
  while (v != nullptr && &v->whom_ != this) v = v->outer_;
  return v != nullptr;
}

void outsiders::await_none() noexcept {
  std::uint32_t now = word_.fetch_or(awaited_bit, std::memory_order_seq_cst) | awaited_bit;
  if (now == awaited_bit) return;
  const this_task::blocking_region blocked;
  for (; now != awaited_bit; now = word_.load(std::memory_order_seq_cst))
    posix::futex_wait(word_, now, posix::scope::process_private);
}

}  // namespace tandem::detail
