// The manager thread: collects answers, fills rings, and sleeps when there is nothing of that to do. What it does by the
// clock is in deadlines.cpp, starting workers in recruiting.cpp, their deaths are in burial.cpp.
#include "process_pool/pool_state.hpp"

#include "posix/clock.hpp"
#include "posix/poll.hpp"
#include "posix/process.hpp"

#include "process_pool/answer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <system_error>
#include <utility>

namespace tandem::detail {

namespace {

// How long tasks wait behind one that was expected to be short: much longer than a worker may be without a CPU.
constexpr std::chrono::milliseconds front_patience{20};

struct answered_task {
  core_ptr<core> task;       // null: resolved otherwise
  std::exception_ptr error;  // of the task, or of reading its answer
};

}  // namespace

thread_local constinit const process_pool_state* process_pool_state::completing_here = nullptr;

void process_pool_state::manage() noexcept {
  const running_callbacks here(*this);
  posix::set_name("tandem-manager");
  while (!finished()) {
    try {
      go_round();
    } catch (const std::exception& e) {
      abandon(e.what());
    }
  }
  sweep();
  link_.close();
  ended_->complete_value();
}

void process_pool_state::go_round() {
  bell_.lower();
  forget_gone_buffers();
  bool moved = read_reports();
  moved = collect_all() || moved;
  moved = check_deadlines() || moved;
  moved = take_up_retries() || moved;
  moved = relieve_slow_rings() || moved;
  moved = refill() || moved;
  if (options_.idle_timeout.has_value()) dismiss_idle_workers();
  start_workers();
  close_workers_when_done();
  if (!moved && !rebalance()) park();
}

bool process_pool_state::collect_all() {
  bool any = false;
  for (const worker_ptr& w : workers_) any = collect(*w) || any;
  return any;
}

// Delivers what one worker has answered: first reads all answers into the tasks, then frees the slots and settles
// the counts, and only then completes the futures - whoever waits for one finds a pool that knows of it.
bool process_pool_state::collect(process::remote_worker& worker) {
  if (!worker.may_have_answered()) return false;
  std::array<answered_task, process::slot_count> batch;
  std::size_t count = 0;
  {
    const lock held(mutex_);
    if (worker.attendant != nullptr) return false;  // who has the front has what lies behind it
    count = worker.answered(batch.size());
    for (std::size_t i = 0; i < count; ++i) {
      batch[i].task = std::move(worker.flight_behind_front(i).task);
    }
  }
  if (count == 0) return false;
  note_that_it_serves(worker);  // before anybody hears of the answer, and may do something to the worker
  std::int64_t bytes = 0;
  std::int64_t values = 0;
  std::int64_t errors = 0;
  double average = 0;
  for (std::size_t i = 0; i < count; ++i) {
    process::answer_read read = process::read_answer(worker, i, batch[i].task.get());
    bytes += static_cast<std::int64_t>(read.bytes);
    if (read.nanoseconds > 0)
      average = average == 0 ? read.nanoseconds : 0.8 * average + 0.2 * read.nanoseconds;
    if (!batch[i].task) continue;
    ++(read.error ? errors : values);
    batch[i].error = std::move(read.error);
  }
  {
    const lock held(mutex_);
    worker.pop(count, slabs_);
    room_is_made(held);
    outstanding_ -= values + errors;
    finished_ += values + errors;
    failed_ += errors;
    bytes_received_ += bytes;
    note_run_time(average, held);
  }
  bound_.wake();
  if (options_.max_memory_per_worker != 0 && worker.has_outgrown()) dismiss_outgrown_worker(worker);
  for (std::size_t i = 0; i < count; ++i) {
    if (!batch[i].task) continue;
    core& task = *batch[i].task;
    task.drop_payload();
    if (batch[i].error) {
      task.complete_error(std::move(batch[i].error));
    } else {
      task.complete_value();
    }
  }
  return true;
}

// Of one task or several; 0: none of them ran.
void process_pool_state::note_run_time(double nanoseconds, const lock&) noexcept {
  if (nanoseconds <= 0) return;
  average_nanoseconds_ = average_nanoseconds_ == 0 ? nanoseconds : 0.5 * (average_nanoseconds_ + nanoseconds);
}

bool process_pool_state::read_reports() {
  bool any = false;
  while (link_) {
    process::server_link::incoming in = link_.receive();
    if (in.end) {
      lost_server();
      return true;
    }
    if (!in.message) return any;
    any = true;
    switch (in.message->what) {
      case process::report::kind::started:
        worker_started(*in.message, std::move(in.pidfd));
        break;
      case process::report::kind::start_failed:
      case process::report::kind::died:
        worker_died(*in.message);
        break;
      case process::report::kind::preloading:
      case process::report::kind::ready:
      case process::report::kind::refused:
        break;  // only ever first
    }
  }
  return any;
}

// Shared buffers that no handle of this process means any more: the workers need not keep them.
void process_pool_state::forget_gone_buffers() noexcept {
  bool all = false;
  const std::vector<std::uint64_t> gone = gone_buffers_->take(all);
  if (!all && gone.empty()) return;
  for (const worker_ptr& w : workers_) {
    bool had_any = false;
    {
      const lock held(mutex_);
      for (const std::uint64_t id : gone) had_any = w->forget_buffer(id) || had_any;
      if (all) had_any = w->forget_buffer(0) || had_any;
    }
    if (had_any) w->wake();
  }
}

// Moves waiting tasks to workers with room, several at once.
bool process_pool_state::refill() {
  bool any = false;
  while (something_waits()) {
    std::array<process::outgoing, process::slot_count> batch;
    const std::span picked = std::span(batch).first(pick(batch));
    if (picked.empty()) break;
    const std::size_t next = start_and_encode(picked);
    if (next <= picked.size() || picked.size() == at_once_) at_once_ = next;
    requeue(place(picked));
    any = true;
  }
  return any;
}

bool process_pool_state::something_waits() const noexcept {
  const lock held(mutex_);
  return !backlog_.empty();
}

// Those that go next, each with a worker that has promised a slot. One at a time where some are more urgent than others: what is
// being encoded cannot be overtaken.
std::size_t process_pool_state::pick(std::span<process::outgoing> batch) noexcept {
  const lock held(mutex_);
  const std::size_t most = has_priorities_ ? 1 : at_once_;
  std::size_t count = 0;
  while (count < most && !backlog_.empty() && !starved_) {
    process::outgoing& o = batch[count];
    o.worker = reserve_worker(held);
    if (!o.worker) break;
    process::backlog::next next = backlog_.pop_next();
    o.task = std::move(next.task);
    o.rank = next.rank;
    ++count;
  }
  return count;
}

// A worker has nothing to do while tasks wait in another one's ring: those are taken back. Without this a task could
// wait behind one that never ends. All of them, so that the one submitted first is the first to go on.
bool process_pool_state::rebalance() {
  process::task_list recalled;
  {
    const lock held(mutex_);
    if (!backlog_.empty() || !somebody_is_free(held)) return false;
    const bool idle = has_idle_worker(held);
    process::remote_worker* longest = nullptr;
    std::size_t most = 0;
    for (const worker_ptr& w : workers_) {
      const std::size_t waiting = w->ready_from(first_to_spare(*w, idle));
      if (waiting > most) {
        most = waiting;
        longest = w.get();
      }
    }
    if (longest == nullptr) return false;
    longest->recall_from(first_to_spare(*longest, idle), recalled);
  }
  if (recalled.empty()) return false;
  requeue(std::move(recalled));
  return true;
}

bool process_pool_state::has_idle_worker(const lock&) const noexcept {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const worker_ptr& w) { return w->served && !w->retiring && w->load() == 0; });
}

// A task need not wait behind another one: a worker is idle, or may be started.
bool process_pool_state::somebody_is_free(const lock& held) const noexcept {
  return wanted_ < static_cast<std::size_t>(max_workers()) || has_idle_worker(held);
}

// The front task is its worker's, whether that has taken it yet or not: it tells nobody when it does, so to wait for
// that would be to wait for ever. But a worker that still starts may take long, while another one is idle.
std::size_t process_pool_state::first_to_spare(const process::remote_worker& worker, bool idle) noexcept {
  return idle && !worker.served ? 0 : 1;
}

// As rebalance(), though nobody is idle: under steady load nobody ever is, and what lies behind a long task would be
// overtaken for ever. No clock wakes the manager for this: only when somebody else has answered is there a place to go
// to, and that wakes it.
bool process_pool_state::relieve_slow_rings() {
  process::task_list recalled;
  {
    const lock held(mutex_);
    if (workers_.size() < 2) return false;
    std::optional<time_point> now;
    for (const worker_ptr& w : workers_) {
      if (w->in_ring() < 2 || w->slow_front) continue;
      if (!now) now = std::chrono::steady_clock::now();
      if (!w->seen_in_front) w->seen_in_front = now;
      if (*now - *w->seen_in_front < front_patience) continue;
      w->slow_front = true;
      w->recall_from(1, recalled);
    }
  }
  if (recalled.empty()) return false;
  requeue(std::move(recalled));
  return true;
}

// After shutdown(), when the last task is resolved, the workers are told to leave.
void process_pool_state::close_workers_when_done() {
  std::vector<worker_ptr> leaving;
  {
    const lock held(mutex_);
    if (open_ || outstanding_ != 0 || closing_workers_) return;
    closing_workers_ = true;
    leaving = workers_;
    for (const worker_ptr& w : leaving) w->close();
  }
  for (const worker_ptr& w : leaving) w->wake();
  link_.wake();
}

bool process_pool_state::finished() const {
  const lock held(mutex_);
  return closing_workers_ && workers_.empty();
}

void process_pool_state::park() {
  bool work = finished();
  std::optional<time_point> deadline;
  {
    const lock held(mutex_);
    parked_ = true;
    // ORDER parent-park: pairs with doorbell::ring(). We store that we sleep and then look at the slots, and whether those
    // serve that still started; a worker stores the slot, or its life, and then rings. All are seq_cst: one of us sees
    // the other. Rings that somebody attends have their own pair, and are given back with a look.
    for (const worker_ptr& w : workers_)
      if (w->attendant == nullptr) w->header().bell.now_sleeps(process::doorbell::sleeper::manager);
    for (const worker_ptr& w : workers_) {
      work = work || (w->attendant == nullptr && w->answered(1) != 0) || begins_to_serve(*w);
      if (!w->is_stuck() || w->killing.decided()) continue;
      w->killing.decide();
      w->retiring = true;
      work = true;
    }
    deadline = next_deadline(held);
    parked_until_ = deadline.value_or(posix::no_deadline);
  }
  if (!work) {
    std::array<pollfd, 3> entries{posix::readable(bell_.fd()), posix::readable(link_.fd()),
                                  posix::readable(link_.end_fd())};
    const std::size_t count = link_ ? 3 : 1;
    posix::poll_until(std::span(entries).first(count), deadline.value_or(posix::no_deadline));
    if (entries[2].revents != 0) link_.note_end();
  }
  const lock held(mutex_);
  parked_ = false;
  for (const worker_ptr& w : workers_)
    if (w->attendant == nullptr) w->header().bell.now_sleeps(process::doorbell::sleeper::nobody);
}

}  // namespace tandem::detail
