// The way in: a task finds a worker with room, or waits in the backlog.
#include "process_pool/pool_state.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace tandem::detail {

void process_pool_state::refuse_if_closed(const lock&, const char* what) const {
  if (broken_) std::rethrow_exception(broken_);
  if (!open_) throw shutdown_error(std::string("tandem: ") + what + " on a process_pool after shutdown()");
}

void process_pool_state::throw_if_closed() const {
  const lock held(mutex_);
  refuse_if_closed(held);
}

bool process_pool_state::try_enter() noexcept {
  const std::int64_t most = std::int64_t{options_.queue_capacity} + max_workers_;
  for (;;) {
    process::task_list cancelled;  // freed outside the mutex
    {
      const lock held(mutex_);
      if (outstanding_ < most) {
        ++outstanding_;
        return true;
      }
      // Those that were cancelled while they waited do not wait any more.
      extract_cancelled(cancelled, held);
    }
    if (cancelled.empty()) return false;
    forget_cancelled(cancelled.size());
  }
}

void process_pool_state::enter_anyway() noexcept {
  const lock held(mutex_);
  ++outstanding_;
}

void process_pool_state::extract_cancelled(process::task_list& cancelled, const lock&) noexcept {
  // To look through a full backlog costs more than many submits.
  const std::uint64_t cancels = pending_cancels();
  if (std::exchange(cancels_seen_, cancels) != cancels) backlog_.extract_done().swap(cancelled);
  next_purge_ = std::max(first_purge, 2 * backlog_.size());
}

void process_pool_state::enqueue(core_ptr<core> task, admission how) {
  if (in_forked_child()) {
    throw broken_pool_error(
        "tandem: submit on a process_pool in a forked child: its workers belong to the parent. "
        "Make a pool of its own in the child");
  }
  if (task->remote() == nullptr) {
    task->set_owner(this);
    return fail_unsendable(*task);
  }
  if (bound_.exists() && !try_enter() && !bound_.admit(*task, how, *this)) {
    const auto keep = shared_from_this();  // the task may be what lets go of the pool
    task->set_owner(this);
    return bound_.run_here(*task, *this);
  }
  try {
    accept(std::move(task));
  } catch (...) {
    if (bound_.exists()) forget(1);
    throw;
  }
}

// A task for which there is room.
void process_pool_state::accept(core_ptr<core> task) {
  const priority rank = priority_of(*task);
  worker_ptr worker;
  bool wake_manager = false;
  process::task_list less_urgent;
  process::task_list cancelled;  // freed outside the mutex
  {
    const lock held(mutex_);
    refuse_if_closed(held);
    task->set_attentive_owner(this);
    if (!bound_.exists()) ++outstanding_;  // otherwise it has been counted
    make_way(rank, less_urgent, held);
    // What was recalled goes back to the backlog, so this one goes there too: the manager deals them out in order.
    if (backlog_.empty() && less_urgent.empty()) worker = reserve_worker(held);
    if (!worker) {
      const std::size_t before = wanted_;
      want_workers(held);
      wake_manager = wanted_ > before || !less_urgent.empty();
      backlog_.push_back(std::exchange(task, {}));
      // Cancelled while they waited. Each purge is paid for by as many submissions as it looks at.
      if (backlog_.size() >= next_purge_) extract_cancelled(cancelled, held);
    }
  }
  if (!cancelled.empty()) forget_cancelled(cancelled.size());
  requeue(std::move(less_urgent));
  if (wake_manager) bell_.raise();
  if (!worker) return;
  process::outgoing placed_here;
  placed_here.task = std::move(task);
  placed_here.rank = rank;
  placed_here.worker = std::move(worker);
  const std::span batch(&placed_here, 1);
  start_and_encode(batch);
  process::task_list homeless = place(batch);
  if (homeless.empty()) return;
  requeue(std::move(homeless));
  bell_.raise();
}

// Takes back what lies in a ring, has not been begun and is less urgent. What is being encoded by another thread is not
// seen here: it may still overtake, once.
void process_pool_state::make_way(priority rank, process::task_list& recalled, const lock&) noexcept {
  has_priorities_ = has_priorities_ || rank != priority::normal;
  if (!has_priorities_) return;
  for (const worker_ptr& w : workers_) w->recall_less_urgent(rank, recalled);
}

// As many as there are tasks, up to the limit: a task waits.
void process_pool_state::want_workers(const lock&) noexcept {
  const auto demand = static_cast<std::size_t>(std::min<std::int64_t>(outstanding_, max_workers()));
  wanted_ = std::max(wanted_, demand);
}

// Through executor& the types are not looked at before: the future tells.
void process_pool_state::fail_unsendable(core& task) {
  std::exception_ptr error = std::make_exception_ptr(not_portable_error(
      std::string("tandem: this task cannot be sent to a worker process: ") + task.why_not_remote()));
  {
    const lock held(mutex_);
    refuse_if_closed(held);
    if (!task.try_start()) {
      ++cancelled_;
      return;
    }
    ++failed_;
    ++finished_;
  }
  task.drop_payload();
  task.complete_error(std::move(error));
}

}  // namespace tandem::detail
