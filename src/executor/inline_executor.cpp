// inline_executor: the backend without workers.
#include <tandem/inline_executor.hpp>

#include <tandem/detail/context.hpp>
#include <tandem/this_task.hpp>

#include "posix/fork_watch.hpp"
#include "posix/futex.hpp"

namespace tandem {

namespace {

// The calls of inline executors that this thread is in, innermost first: shutdown() must not wait for its own.
struct frame {
  const inline_executor* executor;
  const frame* outer;
};
thread_local constinit const frame* innermost = nullptr;

std::uint32_t calls_here(const inline_executor& executor) noexcept {
  std::uint32_t count = 0;
  for (const frame* f = innermost; f != nullptr; f = f->outer) count += f->executor == &executor ? 1 : 0;
  return count;
}

bool is_in_task_of(const inline_executor& executor) noexcept { return calls_here(executor) != 0; }

// The word: closed or not, how many calls there are, and 1 + the generation of forks in which they were counted; 0:
// none was yet.
constexpr std::uint32_t closed_bit = 1;
constexpr std::uint32_t one_call = 2;
constexpr std::uint32_t generations = 2047;
constexpr std::uint32_t generation_unit = 1U << 21;
constexpr std::uint32_t calls_mask = generation_unit - one_call;

// The word as it is in this process: a forked child has inherited the count of its parent's calls, but of their threads
// only its own.
std::uint32_t word_here(std::uint32_t word, const inline_executor& executor) noexcept {
  const std::uint32_t generation = (posix::fork_generation() % generations + 1) * generation_unit;
  if (word / generation_unit * generation_unit == generation) return word;
  return generation | (word & closed_bit) | calls_here(executor) * one_call;
}

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
  detail::cancel_delayed(this);
  if (!options.wait) return;
  while (detail::run_put_off_callbacks()) {}
  const this_task::blocking_region blocked;
  for (; (word_here(calls, *this) & calls_mask) != 0; calls = calls_.load(std::memory_order_acquire))
    posix::futex_wait(calls_, calls, posix::scope::process_private);
  detail::stop_delayed(this);  // callbacks of a task that ran too long may still be under way
}

bool inline_executor::is_open() const noexcept {
  return (calls_.load(std::memory_order_acquire) & closed_bit) == 0;
}

void inline_executor::enqueue(detail::core_ptr<detail::core> task) {
  std::uint32_t before = calls_.load(std::memory_order_relaxed);
  if (before < generation_unit) posix::watch_forks();
  do {  // who is refused is not counted: shutdown() may have returned, and found nobody left
    if ((before & closed_bit) != 0)
      throw shutdown_error("tandem: submit on an inline_executor after shutdown()");
  } while (!calls_.compare_exchange_weak(before, word_here(before, *this) + one_call,
                                         std::memory_order_acq_rel, std::memory_order_relaxed));
  task->set_owner(this);
  if (task->try_start()) {
    const frame mine{this, innermost};
    innermost = &mine;
    detail::execute_in_context(*task);
    innermost = mine.outer;
    if (detail::word::phase(task->load()) == detail::word::failed)
      failed_.fetch_add(1, std::memory_order_relaxed);
    finished_.fetch_add(1, std::memory_order_relaxed);
  } else {
    cancelled_.fetch_add(1, std::memory_order_relaxed);
  }
  leave();
}

void inline_executor::leave() noexcept {
  std::uint32_t before = calls_.load(std::memory_order_relaxed);
  // None is counted if this thread was forked in a call, and another one of the child came first.
  while ((before & calls_mask) != 0 &&
         !calls_.compare_exchange_weak(before, before - one_call, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {}
  // Only shutdown() sleeps here. It may return, and we be destroyed, before the wake: then it wakes nobody.
  if ((before & (closed_bit | calls_mask)) == (closed_bit | one_call))
    posix::futex_wake(calls_, posix::wake_all, posix::scope::process_private);
}

executor_stats inline_executor::stats() const {
  executor_stats s;
  s.workers = 1;
  s.running = (word_here(calls_.load(std::memory_order_relaxed), *this) & calls_mask) / one_call;
  s.idle = s.running == 0 ? 1 : 0;
  s.finished = finished_.load(std::memory_order_relaxed);
  s.failed = failed_.load(std::memory_order_relaxed);
  s.cancelled = cancelled_.load(std::memory_order_relaxed);
  return s;
}

}  // namespace tandem
