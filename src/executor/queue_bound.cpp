// The slow path of a submit on a bounded pool.
#include "executor/queue_bound.hpp"

#include <tandem/detail/context.hpp>
#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include "posix/futex.hpp"

#include <chrono>

namespace tandem::detail {

std::string queue_bound::describe() const {
  return std::string("the queue of this ") + pool_ + " is full: queue_capacity is " +
         std::to_string(capacity_) + ", as many tasks wait, and no worker is free";
}

bool queue_bound::admit(const core& task, admission how, bounded_queue& queue) {
  queue.throw_if_closed();
  // A worker that slept here would wait for itself to make room. So would a callback, which may be on a worker, or on
  // the thread that the pool needs to deliver its results.
  const bool must_not_wait = how == admission::always ||
                             (how == admission::chunk && policy_ == when_full::reject) ||
                             (policy_ == when_full::block && (queue.is_own_worker() || in_callback()));
  if (must_not_wait) {
    queue.enter_anyway();
    return true;
  }
  switch (policy_) {
    case when_full::reject:
      throw queue_full_error("tandem: a task was rejected: " + describe() +
                             ". Submit it again later, raise queue_capacity, or let the pool wait "
                             "(when_full::block) or slow the submitter down (when_full::run_in_caller)");
    case when_full::run_in_caller:
      return false;
    case when_full::block:
      break;
  }
  wait_for_room(task, queue);
  return true;
}

void queue_bound::wait_for_room(const core& task, bounded_queue& queue) {
  const task_options* options = task.options();
  const time_limit limit = options == nullptr ? time_limit() : options->submit_timeout;
  const std::optional<time_point> deadline = limit.deadline();
  const this_task::blocking_region
      blocked;  // perhaps a worker of another pool, which others may need meanwhile
  bool in_time = true;
  for (;;) {
    // ORDER room-sleep: seq_cst, before we look once more. Either we see the room (or the end), or whoever makes it
    // sees us.
    sleepers_.store(1, std::memory_order_seq_cst);
    queue.throw_if_closed();
    if (queue.try_enter()) return;
    if (!in_time || (deadline && *deadline <= std::chrono::steady_clock::now())) {
      throw queue_full_error("tandem: there was no room for a task within its submit_timeout of " +
                             std::to_string(std::chrono::duration<double>(limit.value()).count()) +
                             " s: " + describe() + ". Submit it again later, or allow more time");
    }
    if (!deadline) {
      posix::futex_wait(sleepers_, 1, posix::scope::process_private);
    } else {
      in_time = posix::futex_wait(sleepers_, 1, posix::scope::process_private, *deadline) !=
                posix::wait_status::timed_out;
    }
  }
}

void queue_bound::wake_all() noexcept {
  // One wake for each time that somebody went to sleep, not one for each task that leaves the queue.
  if (sleepers_.exchange(0, std::memory_order_seq_cst) != 0)
    posix::futex_wake(sleepers_, posix::wake_all, posix::scope::process_private);
}

void queue_bound::run_here(core& task, const bounded_queue& queue) {
  // On a worker of this pool it runs as any task that another one waits for.
  if (worker_context* worker = current_worker(); worker != nullptr && worker->try_run(task)) return;
  const outsiders::visit here(callers_);  // ORDER outsiders: before we look whether the pool is closed
  queue.throw_if_closed();
  if (task.try_start()) {
    execute_in_context(task);
    if (word::phase(task.load()) == word::failed) failed_.fetch_add(1, std::memory_order_relaxed);
    finished_.fetch_add(1, std::memory_order_relaxed);
  } else {
    cancelled_.fetch_add(1, std::memory_order_relaxed);
  }
}

void queue_bound::add_to(executor_stats& stats) const noexcept {
  stats.running += callers_.count();
  stats.finished += finished_.load(std::memory_order_relaxed);
  stats.failed += failed_.load(std::memory_order_relaxed);
  stats.cancelled += cancelled_.load(std::memory_order_relaxed);
}

}  // namespace tandem::detail
