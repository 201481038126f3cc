#include "tbb_pool/tbb_pool_state.hpp"

#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include "executor/task_priority.hpp"
#include "executor/unhandled.hpp"
#include "posix/fork_watch.hpp"
#include "posix/futex.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace tandem::detail {

// With hooks, tasks must run on the worker's own thread: then the arena has a place for each worker that no helper can
// take. Without, helpers take places of workers that have no task, and the sum is max_workers.
tbb_pool_state::tbb_pool_state(tbb_pool_options options)
    : options_(std::move(options)),
      keeps_threads_(options_.initializer || options_.finalizer),
      generation_(posix::fork_generation()),
      bound_("tbb_pool", options_.queue_capacity, options_.when_full),
      limit_(options_.max_workers),
      arena_(keeps_threads_ ? 2 * options_.max_workers : options_.max_workers,
             keeps_threads_ ? static_cast<unsigned>(options_.max_workers) : 0U),
      helpers_(*this, arena_),
      crew_(*this, options_.max_workers) {
  arena_.initialize();  // here, where it may throw
}

bool tbb_pool_state::in_forked_child() const noexcept { return generation_ != posix::fork_generation(); }

tbb_pool_state::~tbb_pool_state() { remove_task_owner(this); }

// A thread of oneTBB is not ours to interrupt.
bool tbb_pool_state::stop_running(core&) noexcept { return false; }

bool tbb_pool_state::take_unhandled(const char* where, const std::exception_ptr& error) noexcept {
  return call_error_handler(options_.error_handler, where, error);
}

void tbb_pool_state::enqueue(core_ptr<core> task, admission how) {
  if (in_forked_child()) {
    throw broken_pool_error(
        "tandem: submit on a tbb_pool in a forked child: its threads are in the parent only; make a "
        "thread_pool in the child");
  }
  const priority which = priority_of(*task);
  queue_.prepare(which);
  task->set_owner(this);
  if (is_bounded() && !try_enter() && !bound_.admit(*task, how, *this)) {
    const auto keep = shared_from_this();  // the task may be what lets go of the pool
    return bound_.run_here(*task, *this);
  }
  core* raw = task.detach();
  if (!queue_.push(raw, which)) {
    task = core_ptr<core>(raw);
    if (is_bounded()) note_leave();
    refuse();
  }
  call_worker();
}

void tbb_pool_state::throw_if_closed() const {
  if (closing_.load(std::memory_order_seq_cst) || broken_.load(std::memory_order_seq_cst)) refuse();
}

bool tbb_pool_state::try_enter() noexcept {
  // Counted before a future is ready: who has the result finds the worker free.
  return waiting_.try_enter(options_.queue_capacity, options_.max_workers, [this]() noexcept {
    std::int64_t finished = 0;
    for (const tbb_worker& worker : crew_.all())
      finished += worker.ledger().finished.load(std::memory_order_acquire);
    return finished;
  });
}

// After a task was pushed: sees to it that somebody takes it.
void tbb_pool_state::call_worker() noexcept {
  // ORDER call-rest: seq_cst push, then this load, against the seq_cst store and look at the queue in rest() and
  // begin_blocking(). Either we find the one who may work or it finds our task. A worker that is not idle will look at
  // the queue once more.
  if (!crew_.can_call()) return;
  tbb_worker* worker = nullptr;
  bool was_parked = false;
  {
    const std::lock_guard lock(mutex_);
    worker = crew_.take_idle();
    if (worker == nullptr) return;
    was_parked = std::exchange(worker->is_parked, false);
    if (!was_parked) ++present_;
  }
  if (was_parked) return worker->unpark();
  try {
    worker->call();
  } catch (...) {
    break_down("oneTBB had no memory to start a worker");
    fail_waiting();
    leave();
  }
}

bool tbb_pool_state::rest(tbb_worker& worker) noexcept {
  std::shared_ptr<tbb_pool_state> last_will;  // destroys us, if at all, behind the lock
  bool parks = false;
  {
    const std::lock_guard lock(mutex_);
    // ORDER close: acquire, before the look at the queue, which is closed then.
    const bool ends = keeps_threads_ && closing_.load(std::memory_order_acquire);
    const bool surplus = crew_.is_surplus(worker);
    if (ends && !surplus && !queue_.empty()) return true;
    if (ends) {
      crew_.retire(worker);
    } else {
      crew_.rest(worker);
    }
    // ORDER call-rest. What a surplus spare leaves, a worker will see: none of them rests while something waits.
    if (!surplus && !queue_.empty()) {
      crew_.unrest(worker);
      return true;
    }
    if (!keeps_threads_) {
      last_will = count_out();
    } else if (!ends) {
      worker.is_parked = true;
    }
    parks = worker.is_parked;
  }
  if (!parks) return false;
  worker.park();
  return true;
}

void tbb_pool_state::begin_blocking() noexcept {
  {
    const std::lock_guard lock(mutex_);
    crew_.begin_blocking();
  }
  if (!queue_.empty()) call_worker();  // ORDER call-rest
}

void tbb_pool_state::end_blocking() noexcept {
  const std::lock_guard lock(mutex_);
  crew_.end_blocking();
}

void tbb_pool_state::leave() noexcept {
  std::shared_ptr<tbb_pool_state> last_will;
  const std::lock_guard lock(mutex_);
  last_will = count_out();
}

// With the mutex held, and nothing behind it: whoever sees the count may destroy us.
std::shared_ptr<tbb_pool_state> tbb_pool_state::count_out() noexcept {
  if (--present_ > 0) return nullptr;
  departures_.fetch_add(1, std::memory_order_release);
  posix::futex_wake(departures_, posix::wake_all, posix::scope::process_private);
  return queue_.empty() ? std::move(self_) : nullptr;
}

void tbb_pool_state::wait_until_gone() noexcept {
  for (;;) {
    // ORDER depart: acquire, before the look; pairs with the release behind the last departure.
    const std::uint32_t seen = departures_.load(std::memory_order_acquire);
    {
      const std::lock_guard lock(mutex_);
      if (present_ == 0 && queue_.empty()) return;
    }
    posix::futex_wait(departures_, seen, posix::scope::process_private);
  }
}

void tbb_pool_state::shutdown(const shutdown_options& options) {
  if (in_forked_child()) return;
  if (options.wait && in_own_task()) {
    throw invalid_state_error(
        "tandem: shutdown() of a tbb_pool by one of its own tasks, or in a callback of a task that it "
        "cancels, would wait for itself; use {.wait = false}, or call it from outside");
  }
  const auto keep = shared_from_this();  // a callback of what is cancelled may let go of the pool
  // ORDER close: the queue first. Who finds closing_ set relies on it that nothing is added any more: a worker that ends
  // (rest), and whoever wants a task to be refused (is_open).
  queue_.close();
  closing_.store(true, std::memory_order_seq_cst);
  bound_.wake();
  if (options.cancel_pending) cancelling_.store(true, std::memory_order_relaxed);
  cancel_not_due();
  if (options.cancel_pending) cancel_waiting();
  dismiss_parked();
  if (!options.wait) return;
  while (run_put_off_callbacks()) {}
  const this_task::blocking_region blocked;  // perhaps a worker of another pool, on whom our tasks may wait
  if (is_bounded()) bound_.await_callers();
  wait_until_gone();
  resolvers_.await_none();  // ORDER outsiders: what they have taken is not in the queue any more
  stop_delayed(this);       // callbacks of tasks that ran too long may still be under way
}

void tbb_pool_state::abandon(std::shared_ptr<tbb_pool_state> self) noexcept {
  {
    const std::lock_guard lock(mutex_);
    self_ = std::move(self);
  }
  shutdown({.wait = false});
  stop_delayed(this);  // the pool itself is about to go
  std::shared_ptr<tbb_pool_state> last_will;
  const std::lock_guard lock(mutex_);
  if (present_ == 0 && queue_.empty()) last_will = std::move(self_);  // no worker is there to do it
}

// Lets those end who have nothing to do. The others see closing_ when they are about to park.
void tbb_pool_state::dismiss_parked() noexcept {
  const std::lock_guard lock(mutex_);
  while (tbb_worker* worker = crew_.take_parked()) {
    worker->is_parked = false;
    worker->unpark();
  }
}

void tbb_pool_state::cancel_not_due() noexcept {
  const outsiders::visit here(resolvers_);
  cancel_delayed(this);
}

void tbb_pool_state::cancel_waiting() noexcept {
  const outsiders::visit here(resolvers_);
  core* raw = nullptr;
  while (queue_.pop_some(&raw, 1) != 0) {
    const core_ptr<core> task(raw);
    cancel(*task);
  }
}

void tbb_pool_state::cancel(core& task) noexcept {
  if (task.cancel_pending()) cancelled_.fetch_add(1, std::memory_order_relaxed);
  if (is_bounded()) note_leave();
}

void tbb_pool_state::break_down(const std::string& why) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (broken_.load(std::memory_order_relaxed)) return;
    broken_why_ = why;
    broken_.store(true, std::memory_order_seq_cst);
  }
  queue_.close();
  bound_.wake();
  std::fprintf(stderr, "tandem: a tbb_pool is broken: %s\n", why.c_str());
}

void tbb_pool_state::fail(core& task) noexcept {
  failed_.fetch_add(1, std::memory_order_relaxed);
  task.drop_payload();
  task.complete_error(std::make_exception_ptr(broken_error()));
}

void tbb_pool_state::fail_waiting() noexcept {
  const outsiders::visit here(resolvers_);
  core* raw = nullptr;
  while (queue_.pop_some(&raw, 1) != 0) {
    const core_ptr<core> task(raw);
    if (task->try_start()) fail(*task);
    if (is_bounded()) note_leave();
  }
}

broken_pool_error tbb_pool_state::broken_error() const {
  const std::lock_guard lock(mutex_);
  return broken_pool_error("tandem: this tbb_pool is broken and runs no more tasks: " + broken_why_);
}

void tbb_pool_state::refuse() const {
  if (is_broken()) throw broken_error();
  throw shutdown_error("tandem: submit on a tbb_pool after shutdown()");
}

bool tbb_pool_state::is_own_worker() const noexcept {
  const worker_context* current = current_worker();
  return helpers_.is_here() ||
         std::any_of(crew_.all().begin(), crew_.all().end(),
                     [current](const tbb_worker& worker) { return &worker == current; });
}

executor_stats tbb_pool_state::stats() const {
  executor_stats s;
  if (in_forked_child()) return s;
  s.queued = static_cast<std::int64_t>(queue_.size());
  s.cancelled = cancelled_.load(std::memory_order_relaxed);
  s.failed = failed_.load(std::memory_order_relaxed);
  s.finished = s.failed;
  bound_.add_to(s);
  helpers_.add_to(s);
  for (const tbb_worker& worker : crew_.all()) {
    // Finished is read first: started may only be ahead of it.
    const std::int64_t finished = worker.ledger().finished.load(std::memory_order_acquire);
    const std::int64_t running = worker.ledger().started.load(std::memory_order_acquire) - finished;
    s.finished += finished;
    s.failed += worker.ledger().failed.load(std::memory_order_relaxed);
    s.cancelled += worker.cancelled();
    s.running += running;
    const int thread = worker.thread_id();
    if (thread == 0 && running == 0) continue;
    ++s.workers;
    if (running == 0) ++s.idle;
    s.per_worker.push_back({thread, worker.task_name(), finished});
  }
  return s;
}

}  // namespace tandem::detail
