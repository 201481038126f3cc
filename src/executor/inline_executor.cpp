// inline_executor: the backend without workers.
#include <tandem/inline_executor.hpp>

#include <tandem/detail/context.hpp>
#include <tandem/this_task.hpp>

#include "posix/futex.hpp"

namespace tandem {

namespace {

// The calls of inline executors that this thread is in, innermost first: shutdown() must not wait for its own.
struct frame {
  const inline_executor* executor;
  const frame* outer;
};
thread_local constinit const frame* innermost = nullptr;

bool is_in_task_of(const inline_executor& executor) noexcept {
  const frame* f = innermost;
  while (f != nullptr && f->executor != &executor) f = f->outer;
  return f != nullptr;
}

constexpr std::uint32_t closed_bit = 1;
constexpr std::uint32_t one_call = 2;

}  // namespace

inline_executor::~inline_executor() {
  // A continuation may be on its way in the thread that ends its predecessor.
  if (!is_in_task_of(*this)) shutdown({});
}

void inline_executor::shutdown(shutdown_options options) {
  if (options.wait && is_in_task_of(*this)) {
    throw invalid_state_error(
        "tandem: inline_executor::shutdown() with .wait in one of its own tasks would wait for that task "
        "itself; "
        "use {.wait = false}, or call it from outside");
  }
  std::uint32_t calls = calls_.fetch_or(closed_bit, std::memory_order_acq_rel) | closed_bit;
  detail::stop_delayed(this);
  if (!options.wait) return;
  while (detail::run_put_off_callbacks()) {}
  const this_task::blocking_region blocked;
  for (; calls != closed_bit; calls = calls_.load(std::memory_order_acquire))
    posix::futex_wait(calls_, calls, posix::scope::process_private);
}

bool inline_executor::is_open() const noexcept {
  return (calls_.load(std::memory_order_acquire) & closed_bit) == 0;
}

void inline_executor::enqueue(detail::core_ptr<detail::core> task) {
  const std::uint32_t before = calls_.fetch_add(one_call, std::memory_order_acq_rel);
  if ((before & closed_bit) != 0) {
    leave();
    throw shutdown_error("tandem: submit on an inline_executor after shutdown()");
  }
  if (task->try_start()) {
    const frame mine{this, innermost};
    innermost = &mine;
    detail::execute_in_context(*task);
    innermost = mine.outer;
    if (detail::word::phase(task->load()) == detail::word::failed)
      failed_.fetch_add(1, std::memory_order_relaxed);
    finished_.fetch_add(1, std::memory_order_relaxed);
  }
  leave();
}

void inline_executor::leave() noexcept {
  // Only shutdown() sleeps here. It may return, and we be destroyed, before the wake: then it wakes nobody.
  if (calls_.fetch_sub(one_call, std::memory_order_acq_rel) == (closed_bit | one_call))
    posix::futex_wake(calls_, posix::wake_all, posix::scope::process_private);
}

executor_stats inline_executor::stats() const {
  executor_stats s;
  s.workers = 1;
  s.running = calls_.load(std::memory_order_relaxed) / one_call;
  s.idle = s.running == 0 ? 1 : 0;
  s.finished = finished_.load(std::memory_order_relaxed);
  s.failed = failed_.load(std::memory_order_relaxed);
  return s;
}

}  // namespace tandem
