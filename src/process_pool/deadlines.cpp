// What the manager does by the clock: time limits of tasks, the steps of an execution, tasks that wait to be tried again.
#include "process_pool/pool_state.hpp"

#include "process_pool/death.hpp"

#include <chrono>
#include <utility>

namespace tandem::detail {

namespace {

void keep_earliest(std::optional<time_point>& earliest, const std::optional<time_point>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

// True if tasks have come back to the backlog.
bool process_pool_state::check_deadlines() {
  bool any = false;
  {
    const lock held(mutex_);
    for (const worker_ptr& w : workers_) {
      note_if_serving(*w);
      condemn(*w, held);
      any = any || w->killing.decided() || w->front_is_timed() || (w->must_serve_by && !w->served);
    }
  }
  if (!any) return false;
  const time_point now = std::chrono::steady_clock::now();
  bool came_back = false;
  for (const worker_ptr& w : workers_) {
    came_back = kill_if_late(*w, now) || came_back;
    came_back = expire(*w, now) || came_back;
    carry_out(*w, now);
  }
  return came_back;
}

// Once the pool is ended by force, also those that come to be known after that: each round looks at all of them.
void process_pool_state::condemn(process::remote_worker& worker, const lock&) noexcept {
  if (ending_ == ending::in_order) return;
  worker.retiring = true;
  if (ending_ == ending::at_once) {
    worker.killing.hasten();
  } else {
    worker.killing.decide();
  }
}

// What is in its ring goes to others at once: it may begin to serve before the signal is there. True if there was anything.
bool process_pool_state::kill_if_late(process::remote_worker& worker, time_point now) {
  if (!worker.must_serve_by || worker.served || now < *worker.must_serve_by) return false;
  process::task_list unharmed;
  {
    const lock held(mutex_);
    worker.must_serve_by.reset();
    if (worker.killing.decided()) return false;
    worker.recall_from(0, unharmed);
    // Behind that, as doom() does: if it does not serve even now, it has taken nothing, and there is nothing left to take.
    if (!begins_to_serve(worker)) {
      worker.is_late = true;
      worker.retiring = true;
      worker.killing.decide();
    }
  }
  const bool came_back = !unharmed.empty();
  requeue(std::move(unharmed));
  return came_back;
}

// The front task's time limit. Counted from when the worker can run it: not while it starts, not while it runs the one
// before.
bool process_pool_state::expire(process::remote_worker& worker, time_point now) {
  process::task_list expired;
  process::task_list unharmed;
  {
    const lock held(mutex_);
    if (!worker.front_is_timed()) return false;
    if (!worker.deadline && worker.served)
      worker.deadline = now + worker.flight_behind_front(0).task->options()->timeout.value();
    if (!worker.deadline || now < *worker.deadline) return false;
    if (!doom(worker, 0, expired, unharmed, held)) worker.deadline.reset();  // just in time
  }
  const bool came_back = !unharmed.empty();
  requeue(std::move(unharmed));
  if (!expired.empty()) {
    const std::exception_ptr error = process::make_timeout_error(*expired.front().options(), worker.pid);
    settle(std::move(expired), error);
  }
  return came_back;
}

void process_pool_state::carry_out(process::remote_worker& worker, time_point now) {
  const lock held(mutex_);
  const int signal = worker.killing.due(now);
  if (signal == 0) return;
  try {
    const posix::send_status status =
        link_.send({.what = process::command::kind::signal, .worker = worker.id, .signal = signal});
    if (status == posix::send_status::would_block) {  // it has much to read: after what it has to tell
      worker.killing.postponed(now);
    } else {
      worker.killing.sent(now);
    }
  } catch (const std::exception&) {  // no memory, here or in the kernel
    if (worker.signal_directly(signal)) {
      worker.killing.sent(now);
    } else {
      worker.killing.postponed(now);
    }
  }
}

// Tasks whose worker has died, and who have waited long enough. True if there are any.
bool process_pool_state::take_up_retries() {
  process::task_list due;
  {
    const lock held(mutex_);
    if (!retries_.next()) return false;
    retries_.take_due(std::chrono::steady_clock::now(), due);
  }
  if (due.empty()) return false;
  requeue(std::move(due));
  return true;
}

std::optional<time_point> process_pool_state::next_deadline(const lock&) const {
  std::optional<time_point> earliest;
  for (const worker_ptr& w : workers_) {
    keep_earliest(earliest, w->deadline);
    if (!w->served) keep_earliest(earliest, w->must_serve_by);
    keep_earliest(earliest, w->killing.next());
    if (w->idle_since) keep_earliest(earliest, *w->idle_since + options_.idle_timeout.value());
  }
  if (workers_.size() < wanted_ && !broken_ && !closing_workers_)
    keep_earliest(earliest, recruiting_.not_before());
  keep_earliest(earliest, retries_.next());
  return earliest;
}

}  // namespace tandem::detail
