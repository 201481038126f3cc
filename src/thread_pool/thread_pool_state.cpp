// The ways into the pool and out of it. Whom it calls is in thread_pool_calls.cpp. README.md names the actors.
#include "thread_pool/thread_pool_state.hpp"

#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include "executor/task_priority.hpp"
#include "executor/unhandled.hpp"
#include "posix/fork_watch.hpp"

#include <boost/thread/thread.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>
#include <utility>

namespace tandem::detail {

namespace {

int most_threads(int workers, const thread_pool_options& options) {
  return std::min(workers + options.max_spare_workers, dispatch::roster::most_workers);
}

}  // namespace

thread_pool_state::thread_pool_state(thread_pool_options options, int usable_cpus)
    : options_(std::move(options)),
      may_spin_(usable_cpus > 1),
      generation_(posix::fork_generation()),
      bound_("thread_pool", options_.queue_capacity, options_.when_full),
      roster_(most_threads(options_.max_workers, options_), options_.max_workers),
      crew_(*this, most_threads(options_.max_workers, options_)) {}

thread_pool_state::~thread_pool_state() {
  remove_task_owner(this);
  cancel_waiting();  // nothing is there but what a broken pool left
}

// --- into the pool -----------------------------------------------------------------------------------------------

void thread_pool_state::enqueue(core_ptr<core> task, admission how) {
  refuse_forked_child();
  const priority which = priority_of(*task);
  lanes_.prepare(which);
  task->set_owner(this);
  if (is_bounded() && !try_enter() && !bound_.admit(*task, how, *this)) {
    const auto keep = shared_from_this();  // the task may be what lets go of the pool
    return bound_.run_here(*task, *this);
  }
  push(task, which);
  if (!roster_.is_served(roster_.look())) call_worker();
}

void thread_pool_state::enqueue_all(std::span<core_ptr<core>> tasks) {
  if (is_bounded()) {  // one after the other: each may have to wait for the workers to make room
    for (core_ptr<core>& task : tasks) enqueue(std::move(task), admission::by_policy);
    return;
  }
  refuse_forked_child();
  std::size_t pushed = 0;
  try {
    for (; pushed < tasks.size(); ++pushed) {
      core_ptr<core>& task = tasks[pushed];
      const priority which = priority_of(*task);
      lanes_.prepare(which);
      task->set_owner(this);
      push(task, which);
    }
  } catch (...) {
    if (pushed > 0) call_if_needed();
    throw;
  }
  // Whoever is called and finds that there is more calls the next one.
  if (pushed > 0 && !roster_.is_served(roster_.look())) call_worker();
}

void thread_pool_state::push(core_ptr<core>& task, priority which) {
  if (!lanes_.push(task.get(), which)) {
    if (is_bounded()) note_leave();
    refuse("submit");
  }
  (void)task.detach();  // the queue has it
}

void thread_pool_state::refuse_forked_child() const {
  if (!in_forked_child()) return;
  throw broken_pool_error(
      "tandem: submit on a thread_pool in a forked child: its threads exist in the parent only. "
      "Make a pool of its own in the child");
}

void thread_pool_state::refuse(const char* what) const {
  if (!roster_.look().broken())
    throw shutdown_error(std::string("tandem: ") + what + " on a thread_pool after shutdown()");
  const std::lock_guard lock(why_mutex_);
  throw broken_pool_error(std::string("tandem: ") + what + " on a broken thread_pool: it " + broken_why_);
}

void thread_pool_state::throw_if_closed() const {
  if (roster_.look().ending()) refuse("submit");
}

bool thread_pool_state::try_enter() noexcept {
  // Counted before a future is ready: who has the result finds the worker free.
  return waiting_.try_enter(options_.queue_capacity, max_workers(), [this]() noexcept {
    std::int64_t finished = 0;
    for (int i = 0; i < crew_.places(); ++i)
      finished += crew_.at(i).ledger().finished.load(std::memory_order_acquire);
    return finished;
  });
}

// --- out of the pool ---------------------------------------------------------------------------------------------

bool thread_pool_state::in_forked_child() const noexcept { return posix::fork_generation() != generation_; }

void thread_pool_state::shutdown(const shutdown_options& options) {
  if (in_forked_child()) return;
  if (options.wait && is_ours()) {
    throw invalid_state_error(
        "tandem: thread_pool::shutdown() with .wait on one of its own workers, or in a callback of a task "
        "that "
        "it cancels, would wait for itself. Call it from another thread, or with .wait = false");
  }
  const auto keep = shared_from_this();  // a callback of what is cancelled may let go of the pool
  // In this order: workers end when the roster is closed and no work is left, and from then on none may come.
  lanes_.close();
  if (options.cancel_pending) {
    roster_.close_and_cancel();
  } else {
    roster_.close();
  }
  wake_all();
  bound_.wake();
  crew_.dismiss_resting();
  cancel_not_due();
  if (options.cancel_pending) cancel_waiting();
  call_if_needed();
  if (!options.wait) return;
  join_all();
}

void thread_pool_state::resize(int workers) {
  if (in_forked_child()) {
    throw broken_pool_error(
        "tandem: resize of a thread_pool in a forked child: its threads exist in the parent only");
  }
  const std::lock_guard sizing(size_mutex_);
  if (roster_.look().ending()) refuse("resize");
  const int before = roster_.most_active();
  if (workers > before) crew_.set_most(most_threads(workers, options_));  // may run out of memory: first
  roster_.set_most_active(workers);
  if (workers < before) crew_.set_most(most_threads(workers, options_));
  wake_surplus();
  bound_.wake();  // there may be room for more
  call_if_needed();
}

void thread_pool_state::abandon() noexcept {
  if (in_forked_child()) return;
  if (!is_ours()) {
    shutdown({});
    return;
  }
  std::fprintf(
      stderr,
      "tandem: a thread_pool is destroyed on one of its own workers (by a task, or by exit() in a "
      "task), which cannot wait for itself. Its workers finish what was submitted and end on their own\n");
  shutdown({.wait = false});
  stop_delayed(this);  // the pool itself is about to go
  crew_.detach_all();
}

// Until every thread is gone and nothing is left to do: blocked workers may need spares to the very end.
void thread_pool_state::join_all() {
  while (run_put_off_callbacks()) {}
  const this_task::blocking_region blocked;  // perhaps a worker of another pool, on whom our tasks may wait
  const boost::this_thread::disable_interruption uninterrupted;
  if (is_bounded()) bound_.await_callers();
  const std::lock_guard joining(join_mutex_);
  for (;;) {
    const std::uint32_t starts = crew_.starts();
    if (crew_.join_one()) continue;
    if (roster_.look().active() != 0) {
      crew_.await_start(starts);  // somebody is about to start a thread
    } else if (has_work()) {
      call_worker();
      std::this_thread::yield();  // broken: somebody is failing the tasks that are left
    } else {
      break;
    }
  }
  resolvers_.await_none();  // ORDER outsiders: what they have taken is not in the queue any more
  stop_delayed(this);       // callbacks of tasks that ran too long may still be under way
}

template <class Each>
void thread_pool_state::drain(dispatch::batch_ring<core>& ring, Each each) noexcept {
  core* batch[dispatch::batch_ring<core>::capacity];
  while (const std::size_t count = ring.steal(batch, std::size(batch))) {
    for (std::size_t i = 0; i < count; ++i) each(batch[i]);
  }
}

template <class Each>
void thread_pool_state::drain(Each each) noexcept {
  // The queue first: workers fill their rings from it, not the other way round.
  core* batch[64];
  while (!lanes_.empty()) {
    const std::size_t count = lanes_.pop_some(batch, std::size(batch));
    for (std::size_t i = 0; i < count; ++i) each(batch[i]);
  }
  for (int i = 0; i < crew_.places(); ++i) drain(crew_.at(i).waiting(), each);
}

void thread_pool_state::cancel_not_due() noexcept {
  const outsiders::visit here(resolvers_);
  cancel_delayed(this);
}

void thread_pool_state::cancel_waiting() noexcept {
  const outsiders::visit here(resolvers_);
  drain([this](core* task) { cancel(task); });
}

void thread_pool_state::cancel_tasks(dispatch::batch_ring<core>& ring) noexcept {
  drain(ring, [this](core* task) { cancel(task); });
}

void thread_pool_state::cancel(core* task) noexcept {
  if (task->cancel_pending()) cancelled_.fetch_add(1, std::memory_order_relaxed);
  task->release();
  if (is_bounded()) note_leave();
}

void thread_pool_state::break_down(const std::string& why) noexcept {
  {
    const std::lock_guard lock(why_mutex_);
    if (broken_why_.empty()) broken_why_ = why;
  }
  if (roster_.break_down()) std::fprintf(stderr, "tandem: a thread_pool is broken: it %s\n", why.c_str());
  lanes_.close();
  wake_all();
  bound_.wake();
  crew_.dismiss_resting();
  const outsiders::visit here(resolvers_);
  drain([this](core* task) { fail(task); });
}

void thread_pool_state::fail_tasks(dispatch::batch_ring<core>& ring) noexcept {
  drain(ring, [this](core* task) { fail(task); });
}

void thread_pool_state::fail(core* task) noexcept {
  if (task->try_start()) {
    std::exception_ptr error;
    {
      const std::lock_guard lock(why_mutex_);
      error = std::make_exception_ptr(
          broken_pool_error("tandem: the thread_pool broke before the task ran: it " + broken_why_));
    }
    task->drop_payload();
    failed_.fetch_add(1, std::memory_order_relaxed);
    task->complete_error(std::move(error));
  }
  task->release();
  if (is_bounded()) note_leave();
}

// --- for tasks ---------------------------------------------------------------------------------------------------

bool thread_pool_state::stop_running(core& task) noexcept {
  if (!in_forked_child()) crew_.interrupt(task);
  return false;
}

bool thread_pool_state::take_unhandled(const char* where, const std::exception_ptr& error) noexcept {
  return call_error_handler(options_.error_handler, where, error);
}

// --- the numbers -------------------------------------------------------------------------------------------------

executor_stats thread_pool_state::stats() const {
  executor_stats s;
  if (in_forked_child()) return s;
  const auto read = [](const std::atomic<std::int64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  std::int64_t started = 0;
  for (int i = 0; i < crew_.places(); ++i) {
    const thread_worker& w = crew_.at(i);
    // Finished before started, and both before pushed: a task on its way counts as running or queued, never negative.
    const std::int64_t finished = read(w.ledger().finished);
    s.finished += finished;
    s.failed += read(w.ledger().failed);
    s.cancelled += w.cancelled();
    started += std::max(read(w.ledger().started), finished);
  }
  const std::int64_t never_ran = read(failed_);
  s.running = started - s.finished;
  s.finished += never_ran;
  s.failed += never_ran;
  s.cancelled += read(cancelled_);
  s.queued = std::max<std::int64_t>(
      0, static_cast<std::int64_t>(lanes_.pushed()) - started - never_ran - s.cancelled);
  bound_.add_to(s);
  for (const thread_worker* w : crew_.present()) {
    ++s.workers;
    if (read(w->ledger().started) <= read(w->ledger().finished)) ++s.idle;
    s.per_worker.push_back({w->thread_id(), w->task_name(), w->tasks_done()});
  }
  return s;
}

}  // namespace tandem::detail
