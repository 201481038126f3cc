// The worker's loop. Who must look where, and in which order, so that no task is left lying is in
// src/dispatch/README.md.
#include "thread_pool/thread_worker.hpp"

#include "posix/affinity.hpp"
#include "posix/process.hpp"
#include "posix/spin.hpp"
#include "thread_pool/thread_pool_state.hpp"

#include <exception>
#include <utility>

namespace tandem::detail {

namespace {

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "not a std::exception";
  }
}

}  // namespace

thread_worker::thread_worker(thread_pool_state& pool, int index) noexcept
    : pool_(pool), index_(index), forks_(*this, index, &pool, pool.sink()) {}

thread_worker::end thread_worker::run() noexcept {
  set_current_worker(this);
  searching_ = true;
  idle_ = false;
  thread_id_.store(posix::current_tid(), std::memory_order_relaxed);
  stack_ = posix::current_stack();
  forks_.occupy(stack_.bottom);
  stack_at_start_ = stack_.left();
  done_before_.store(ledger_.finished.load(std::memory_order_relaxed), std::memory_order_relaxed);
  posix::set_name(posix::numbered_name(pool_.options().name_prefix, index_));
  const bool usable = set_up();
  if (usable) {
    while (core* task = next()) {
      run_task(task);
      // The task has forked, and this is the child, which has come back from it: nothing of the pool is ours.
      if (pool_.in_forked_child()) return end::off_duty;
    }
  }
  // What we have taken and not begun is ours to resolve. Otherwise there is nothing left, or somebody else runs it.
  if (pool_.roster().look().broken()) pool_.fail_tasks(ring_);
  if (searching_) {
    pool_.roster().retire();
    searching_ = false;
    pool_.call_if_needed();  // what was published meanwhile has called nobody: we were a searcher
  }
  // First: a finalizer that forks would have a new thread started, whose finalizer the next one, and so on.
  this_fork_place = nullptr;
  if (usable && pool_.options().finalizer) finalize();
  thread_id_.store(0, std::memory_order_relaxed);
  set_current_worker(nullptr);
  return idle_ ? end::idle : end::off_duty;
}

void thread_worker::finalize() noexcept {
  ++blocking_;  // off the roster, or as good as: whoever waits in the finalizer needs nobody to stand in
  try {
    pool_.options().finalizer();
  } catch (...) {
    report_unhandled("a thread_pool's finalizer", std::current_exception(), &pool_);
  }
  --blocking_;
}

// False: the pool is broken now.
bool thread_worker::set_up() noexcept {
  const char* what = "set the affinity of a worker";
  try {
    if (!pool_.options().affinity.empty()) posix::set_thread_affinity(pool_.options().affinity);
    if (!pool_.options().initializer) return true;
    what = "run its initializer";
    pool_.begin_initializer();
    searching_ = false;
    is_initializing_.store(true, std::memory_order_release);
    pool_.options().initializer();
    is_initializing_.store(false, std::memory_order_release);
  } catch (...) {
    is_initializing_.store(false, std::memory_order_release);
    const std::string why = text_of(std::current_exception());
    if (!searching_) pool_.end_initializer();
    searching_ = true;
    pool_.break_down(std::string("could not ") + what + " on " + posix::current_name() + ": " + why);
    return false;
  }
  pool_.end_initializer();
  searching_ = true;
  return true;
}

// The next task to run; null: end. Comes and goes as a runner, but goes to its end as a searcher or off duty.
core* thread_worker::next() noexcept {
  dispatch::roster& roster = pool_.roster();
  if (!searching_ && !roster.may_be_surplus()) {
    if (core* task = next_of_batch()) return task;
  }
  for (;;) {
    if (roster.leave_if_surplus(searching_)) {
      searching_ = false;
      ledger_.finishing.store(false, std::memory_order_seq_cst);
      if (!ring_.empty()) pool_.leave_behind();  // only after a resize
      pool_.call_if_needed();                    // we were counted on
      if (!pool_.crew().rest(index_)) return nullptr;
      searching_ = true;
      continue;  // the pool may have been made smaller since we were recalled
    }
    if (roster.look().broken()) {
      if (!searching_) roster.begin_search();
      searching_ = true;
      return nullptr;
    }
    if (core* task = next_of_batch()) {
      note_found();  // come, or back, to a place where something was left behind
      return task;
    }
    if (core* task = take()) return task;
    if (searching_ && run_stolen()) continue;
    if (!searching_) {
      roster.begin_search();
      searching_ = true;
      // Behind begin_search(): until here whoever saw the last task done counts on us, from here on as on a searcher.
      ledger_.finishing.store(false, std::memory_order_seq_cst);
      continue;
    }
    search();
    if (pool_.has_work()) continue;
    if (!roster.lie_down(index_)) {
      if (pool_.has_work()) continue;
      return nullptr;
    }
    searching_ = false;
    // ORDER shrink: either a resize finds us in bed, or we see here that we are too many.
    pool_.wake_surplus();
    // ORDER call-park: work that was published before we lay down has called nobody if we were the last searcher.
    pool_.call_if_needed();
    if (!roster.sleep(index_, pool_.idle_deadline())) {
      idle_ = true;
      return nullptr;
    }
    searching_ = true;
  }
}

// What came with an earlier task, or something more urgent that has come since. Null: nothing is left of the batch, for
// off duty nobody would look after it.
core* thread_worker::next_of_batch() noexcept {
  if (!pool_.lanes().in_use()) [[likely]]
    return ring_.pop();
  while (!ring_.empty()) {
    if (core* task = take()) return task;
  }
  return nullptr;
}

// Looks for work for a while without changing anything.
void thread_worker::search() noexcept {
  if (pool_.may_spin())
    static_cast<void>(searching_time_.spend([this]() noexcept { return pool_.has_work(); }));
}

void thread_worker::run_task(core* task) noexcept {
  interruption_.claim(*task);
  if (!task->try_start()) {
    interruption_.withdraw();
    // Cancelled, or a waiter has claimed it. The queue's reference was all that was left to us.
    if (word::phase(task->load()) == word::cancelled) add_one(cancelled_);
    task->release();
    if (pool_.is_bounded()) pool_.note_leave();
    return;
  }
  if (pool_.is_bounded()) pool_.note_begin();
  execute(*task, ring_.empty());
  interruption_.release();  // while the task is still there: nobody may mistake another one for it
  drop(task);
}

void thread_worker::execute(core& task, bool last_known) noexcept {
  const bool before = std::exchange(ledger_.last_known, last_known);
  name_.during(task, [&]() noexcept { execute_in_context(task, &ledger_); });
  ledger_.last_known = before;
}

// Gives the queue's reference back.
void thread_worker::drop(core* task) noexcept {
  if (task->release_unless_last()) return;
  // Ours to destroy, perhaps with a result whose destructor takes its time: then we are not free yet after all.
  if (!task->consumed()) forget_finishing();
  task->release();
}

void thread_worker::forget_finishing() noexcept {
  if (!ledger_.finishing.load(std::memory_order_relaxed)) return;
  // ORDER call-park: who saw the flag has called nobody and counts on us.
  ledger_.finishing.store(false, std::memory_order_seq_cst);
  pool_.call_if_needed();
}

// Not when the stack is half used up and somebody with an empty one can stand in: tasks may wait for tasks to any depth.
bool thread_worker::try_run(core& task) noexcept {
  if (task.owner() != &pool_ || (stack_.left() < stack_at_start_ / 2 && pool_.crew().may_grow()))
    return false;
  interruption::detour here(interruption_, task);
  const bool is_ours = task.try_start();
  if (is_ours) {
    if (pool_.is_bounded()) pool_.note_begin_in_place();
    execute(task, false);  // the waiting task goes on afterwards, so the worker does not become free
  }
  if (const core* outer = here.end(is_ours)) pool_.crew().interrupt(*outer);
  return is_ours;
}

bool thread_worker::can_be_stood_in_for() const noexcept {
  return pool_.crew().may_grow() || pool_.roster().look().top() != 0;
}

void thread_worker::begin_blocking() noexcept {
  if (pool_.in_forked_child() || blocking_++ > 0) return;
  pool_.roster().leave();
  pool_.call_if_needed();
}

void thread_worker::end_blocking() noexcept {
  if (!pool_.in_forked_child() && --blocking_ == 0) pool_.roster().enter();
}

std::int64_t thread_worker::tasks_done() const noexcept {
  return ledger_.finished.load(std::memory_order_relaxed) - done_before_.load(std::memory_order_relaxed);
}

}  // namespace tandem::detail
