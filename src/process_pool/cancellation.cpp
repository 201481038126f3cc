// Tasks that end without having run to their end: cancelled, or failed together with what was to run them.
#include "process_pool/pool_state.hpp"

#include "posix/futex.hpp"

#include <utility>

namespace tandem::detail {

bool process_pool_state::stop_running(core& task) noexcept {
  if (in_forked_child()) return false;
  process::task_list mine;
  process::task_list unharmed;
  bool doomed = false;
  {
    const lock held(mutex_);
    const auto [worker, i] = find_flight(task, held);
    if (worker == nullptr) {
      if (!retries_.take(task, mine)) return false;
    } else if (!worker->recall(i, mine)) {
      auto& stop = worker->slot_behind_front(i).stop;
      stop.store(1, std::memory_order_release);
      posix::futex_wake(stop, posix::wake_all, posix::scope::process_shared);  // see stop_watch
      if (!options_.kill_on_cancel) return false;
      doomed = doom(*worker, i, mine, unharmed, held);
    }
  }
  if (doomed || !unharmed.empty()) {
    requeue(std::move(unharmed));
    bell_.raise();
  }
  if (mine.empty()) return false;
  settle(std::move(mine), nullptr);
  return true;
}

// Where the task is on its way; null if nowhere.
std::pair<process::remote_worker*, std::size_t> process_pool_state::find_flight(const core& task,
                                                                                const lock&) noexcept {
  for (const worker_ptr& w : workers_) {
    for (std::size_t i = 0; i < w->in_ring(); ++i) {
      if (w->flight_behind_front(i).task.get() == &task) return {w.get(), i};
    }
  }
  return {nullptr, 0};
}

// Decides that a worker dies for the task in that slot, which goes to `victim`; false if the worker has done with it
// meanwhile. What waits behind it goes to `unharmed` in either case.
bool process_pool_state::doom(process::remote_worker& worker, std::size_t behind_front,
                              process::task_list& victim, process::task_list& unharmed,
                              const lock&) noexcept {
  worker.recall_from(behind_front + 1, unharmed);
  // ORDER doom: the worker goes from slot to slot, and all behind this one are taken back. If it is still in this one
  // now, it will never run another task. Looking before recalling would prove nothing.
  const bool running =
      process::state_of(worker.slot_behind_front(behind_front)) == process::slot_state::taken;
  if (!running && !worker.recall(behind_front, victim)) return false;
  if (running) victim.push_front(worker.take_task(behind_front));
  worker.killing.decide();
  worker.retiring = true;
  worker.deadline.reset();
  return true;
}

void process_pool_state::cancel_not_due() noexcept {
  const running_callbacks here(*this);
  cancel_delayed(this);
}

void process_pool_state::cancel_waiting() noexcept {
  unbegun_tasks unbegun;
  {
    const lock held(mutex_);
    take_unbegun(unbegun, held);
  }
  cancel(std::move(unbegun));
}

// Everything that no worker has begun; also what is between two places now, by the flag.
void process_pool_state::take_unbegun(unbegun_tasks& unbegun, const lock&) noexcept {
  cancelling_ = true;
  for (const worker_ptr& w : workers_) w->recall_from(0, unbegun.dispatched);
  retries_.take_all(unbegun.dispatched);
  process::task_list waiting = backlog_.extract_all();
  unbegun.waiting.swap(waiting);
}

void process_pool_state::cancel(unbegun_tasks unbegun) noexcept {
  settle(std::move(unbegun.dispatched), nullptr);
  const std::int64_t count = unbegun.waiting.size();
  {
    const running_callbacks here(*this);
    while (!unbegun.waiting.empty()) unbegun.waiting.pop_front()->cancel_pending();
  }
  forget_cancelled(count);
}

// Puts tasks that were started but not run back in front of those that wait; resolves those that may not be.
void process_pool_state::requeue(process::task_list tasks) noexcept {
  if (tasks.empty()) return;
  process::task_list again;
  process::task_list refused;
  std::exception_ptr broken;
  {
    const lock held(mutex_);
    broken = broken_;
    while (!tasks.empty()) {
      core_ptr<core> task = tasks.pop_front();
      const bool may = !broken && !cancelling_ && task->return_to_pending();  // false: it was asked to stop
      (may ? again : refused).push_back(std::move(task));
    }
    backlog_.prepend(std::move(again));
    if (!backlog_.empty()) want_workers(held);
  }
  settle(std::move(refused), broken);
}

// Resolves started tasks that will not run: with `error`, or as cancelled if it is null. Counted before, so that
// whoever waits for one finds a pool that knows of it; but shutdown() may return only when the last one is resolved.
void process_pool_state::settle(process::task_list tasks, const std::exception_ptr& error) noexcept {
  const std::int64_t count = tasks.size();
  if (count == 0) return;
  {
    const lock held(mutex_);
    if (error) {
      finished_ += count;
      failed_ += count;
    } else {
      cancelled_ += count;
    }
  }
  {
    const running_callbacks here(*this);
    while (!tasks.empty()) {
      const core_ptr<core> task = tasks.pop_front();
      task->drop_payload();
      if (error) {
        task->complete_error(error);
      } else {
        task->complete_cancelled();
      }
    }
  }
  forget(count);
}

void process_pool_state::settle_one(core_ptr<core> task, const std::exception_ptr& error) noexcept {
  process::task_list list;
  list.push_back(std::move(task));
  settle(std::move(list), error);
}

// Of tasks that their futures have cancelled while they waited.
void process_pool_state::forget_cancelled(std::int64_t count) noexcept {
  {
    const lock held(mutex_);
    cancelled_ += count;
  }
  forget(count);
}

void process_pool_state::forget(std::int64_t count) noexcept {
  bool last = false;
  {
    const lock held(mutex_);
    outstanding_ -= count;
    last = !open_ && outstanding_ == 0;
  }
  bound_.wake();
  if (last) bell_.raise();
}

}  // namespace tandem::detail
