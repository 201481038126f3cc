// Attendance: a thread that waits for a task which is alone in its worker's ring fetches the answer itself. The manager, who
// would fetch it otherwise, goes on sleeping: one thread less to wake on the way. README.md tells who may do what meanwhile.
#include "process_pool/pool_state.hpp"

#include "posix/cpus.hpp"
#include "posix/spin.hpp"

#include "process_pool/answer.hpp"

#include <tandem/this_task.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tandem::detail {

namespace {

using process::doorbell;

thread_local constinit posix::spin_budget attending;

}  // namespace

void process_pool_state::attend(core& task, const std::optional<time_point>& deadline) noexcept {
  if (in_forked_child()) return;
  const char place_of_our_own = 0;
  const void* const me = &place_of_our_own;
  const worker_ptr worker = begin_attendance(task, me);
  if (!worker) return;
  process::slot& front = worker->slot_behind_front(0);
  const auto may_have_ended = [&]() noexcept {
    return process::state_of(front) == process::slot_state::done || task.done();
  };
  static const bool others_run = posix::usable_cpus() > 1;
  if (others_run) static_cast<void>(attending.spend(may_have_ended, deadline.value_or(posix::no_deadline)));
  if (fetch(*worker, task, me)) return;
  const this_task::blocking_region blocked;
  while (worker->header().bell.sleep(deadline)) {
    if (fetch(*worker, task, me)) return;
  }
  bool wake_manager = false;
  {
    const lock held(mutex_);
    if (worker->attendant == me) wake_manager = end_attendance(*worker, held);
  }
  if (wake_manager) bell_.raise();
}

// The worker in whose ring the task is alone, and whose manager we are for that task from now on; null if there is none.
process_pool_state::worker_ptr process_pool_state::begin_attendance(const core& task,
                                                                    const void* me) noexcept {
  const lock held(mutex_);
  for (const worker_ptr& w : workers_) {
    if (w->in_ring() != 1 || w->flight_behind_front(0).task.get() != &task) continue;
    // A process id that is known does not change any more, and may be read without the mutex.
    if (w->attendant != nullptr || !w->served || w->pid == 0 || w->gone) return nullptr;
    w->attendant = me;
    w->header().bell.now_sleeps(doorbell::sleeper::nobody);  // the manager need not come for this one
    return w;
  }
  return nullptr;
}

// False if the task is still under way and ours, and we may sleep. True otherwise: done, by us or somebody else, or the
// manager's again.
bool process_pool_state::fetch(process::remote_worker& worker, core& task, const void* me) noexcept {
  core_ptr<core> answered;
  bool wake_manager = false;
  {
    const lock held(mutex_);
    if (worker.attendant != me) return true;
    auto& front = worker.flight_behind_front(0).task;
    const bool is_ours = front.get() == &task;
    const auto is_over = [&] { return !is_ours || worker.answered(1) != 0 || worker.is_stuck(); };
    if (worker.header().bell.stays_silent(is_over)) return false;
    // Callbacks are the manager's to run: they may last, or wait for what this thread does next.
    if (is_ours && worker.answered(1) != 0 && (task.load() & word::has_callback) == 0) {
      answered = std::move(front);
      worker.is_being_read = true;
    } else {
      wake_manager = end_attendance(worker, held);
    }
  }
  if (wake_manager) bell_.raise();
  if (answered) collect_attended(worker, answered);
  return true;
}

// As collect(), of one answer. As settle(), the task is counted before it is done, but missing only behind that, lest
// shutdown() return before.
void process_pool_state::collect_attended(process::remote_worker& worker,
                                          const core_ptr<core>& task) noexcept {
  process::answer_read read = process::read_answer(worker, 0, task.get());
  bool wake_manager = false;
  {
    const lock held(mutex_);
    worker.is_being_read = false;
    worker.pop(1, slabs_);
    room_is_made(held);
    ++finished_;
    if (read.error) ++failed_;
    bytes_received_ += static_cast<std::int64_t>(read.bytes);
    note_run_time(read.nanoseconds, held);
    wake_manager = end_attendance(worker, held);
    if (options_.idle_timeout.has_value() && worker.in_ring() == 0)
      wake_manager = note_that_it_is_idle(worker, held) || wake_manager;
  }
  read_over_.notify_all();
  if (wake_manager) bell_.raise();
  if (options_.max_memory_per_worker != 0 && worker.has_outgrown()) dismiss_outgrown_worker(worker);
  {
    const running_callbacks here(*this);
    task->drop_payload();
    if (read.error) {
      task->complete_error(std::move(read.error));
    } else {
      task->complete_value();
    }
  }
  forget(1);
}

// From now on the manager looks after the ring again. True if it has to be woken for that, or for what has changed.
bool process_pool_state::end_attendance(process::remote_worker& worker, const lock&) noexcept {
  worker.attendant = nullptr;
  return worker.header().bell.give_back(parked_, [&] {
    if (worker.in_ring() != 0) return worker.answered(1) != 0 || worker.is_stuck() || worker.front_is_timed();
    // The worker is idle: what waits anywhere may go there.
    return !backlog_.empty() ||
           std::any_of(workers_.begin(), workers_.end(), [](const worker_ptr& w) { return w->load() > 1; });
  });
}

// Where workers end after an idle_timeout. True if the manager sleeps beyond that, and has to be told.
bool process_pool_state::note_that_it_is_idle(process::remote_worker& worker, const lock&) noexcept {
  worker.idle_since = std::chrono::steady_clock::now();
  return parked_ && parked_until_ > *worker.idle_since + options_.idle_timeout.value();
}

}  // namespace tandem::detail
