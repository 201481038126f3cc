// The way in: a task finds a worker with room, or waits in the backlog; then it is encoded and put into the ring.
#include "process_pool/pool_state.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace tandem::detail {

namespace {

// How long the tasks in one worker's ring shall last: much longer than the manager needs to refill it.
constexpr double ring_nanoseconds = 200e3;

// Large requests in one worker's ring: the next one is there when the first is done. Each costs a descriptor.
constexpr std::size_t most_large = 2;

}  // namespace

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
      if (cancels_seen_ != pending_cancels()) extract_cancelled(cancelled, held);
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
  cancels_seen_ = pending_cancels();
  backlog_.extract_done().swap(cancelled);
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
  task = dispatch(std::move(task), worker, rank);
  if (!task) return;
  process::task_list homeless;
  homeless.push_back(std::move(task));
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

std::size_t process_pool_state::depth(const lock&) const noexcept {
  if (average_nanoseconds_ <= 0) return 1;
  return std::clamp<std::size_t>(static_cast<std::size_t>(ring_nanoseconds / average_nanoseconds_), 1,
                                 process::slot_count);
}

// The worker with the least to do, with a slot promised; null if the task has to wait. While there are fewer workers
// than there may be, a task waits for one of its own rather than behind another task.
process_pool_state::worker_ptr process_pool_state::reserve_worker(const lock& held) {
  const bool all_there = workers_.size() >= static_cast<std::size_t>(max_workers());
  const std::size_t deepest = all_there ? depth(held) : 1;
  const worker_ptr* best = nullptr;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const worker_ptr& w : workers_) {
    if (!may_take_one(*w, deepest, held)) continue;
    const std::size_t effort =
        2 * w->load() + (w->served ? 0 : 1);  // with equal loads, not one that still starts
    if (effort < least) {
      least = effort;
      best = &w;
    }
  }
  if (best == nullptr) return nullptr;
  ++(*best)->reserved;
  return *best;
}

bool process_pool_state::may_take_one(const process::remote_worker& w, std::size_t deepest,
                                      const lock&) const noexcept {
  if (w.retiring || w.load() >= deepest) return false;
  if (options_.max_tasks_per_worker != 0 &&
      w.placed + static_cast<int>(w.reserved) >= options_.max_tasks_per_worker)
    return false;
  return w.load() == 0 || !(w.slow_front || (w.large_requests != 0 && w.load() >= most_large));
}

// Encodes outside the mutex: that is the user's code. Gives the task back, still started, if it has to wait after all.
core_ptr<core> process_pool_state::dispatch(core_ptr<core> task, const worker_ptr& worker,
                                            priority rank) noexcept {
  if (!task->try_start()) {  // cancelled while it waited
    release_slot(*worker);
    forget_cancelled(1);
    return {};
  }
  const task_options* options = task->options();
  const bool timed = options != nullptr && options->timeout.has_value();
  const std::uint32_t before = collections_.load(std::memory_order_relaxed);
  const auto at = [before](bool starved) { return starved ? std::optional(before) : std::nullopt; };
  process::encoded_request request(slabs_, gone_buffers_);
  function_name name;
  try {
    const remote_ops* ops = task->remote();
    name = ops->name();
    ops->encode(*task, request.out());
  } catch (...) {
    return unsent(std::move(task), *worker, at(request.starved()), std::current_exception());
  }
  placement where = placement::elsewhere;
  try {
    where = place(task, *worker, rank, name, request);
  } catch (const std::system_error& e) {  // its memfd could not be sent
    return unsent(std::move(task), *worker, at(process::is_shortage(e)), std::current_exception());
  } catch (const std::bad_alloc&) {
    return unsent(std::move(task), *worker, at(true), std::current_exception());
  }
  switch (where) {
    case placement::in_ring:
    case placement::to_move:
      worker->wake();
      if (timed || where == placement::to_move)
        bell_.raise();  // the manager has a deadline to keep, or to rebalance
      return {};
    case placement::elsewhere:
      return task;
    case placement::nowhere:
      break;
  }
  release_slot(*worker);
  settle_one(std::move(task), nullptr);
  return {};
}

// Takes the task if it puts it into the ring, and uses the promised slot unless the answer is `nowhere`.
process_pool_state::placement process_pool_state::place(core_ptr<core>& task, process::remote_worker& worker,
                                                        priority rank, function_name name,
                                                        process::encoded_request& request) {
  const lock held(mutex_);
  // A cancel() that came while it was being encoded found it nowhere.
  if (cancelling_ || (task->load() & word::stop_requested) != 0) return placement::nowhere;
  const bool too_large = request.is_large() && worker.large_requests >= most_large;
  if (!worker.gone && !worker.retiring && !too_large) {
    const auto size = static_cast<std::int64_t>(request.size());
    worker.put(task, rank, name, request);
    --worker.reserved;
    bytes_sent_ += size;
    if (options_.max_tasks_per_worker != 0 && worker.placed >= options_.max_tasks_per_worker) worker.close();
    // The slot was promised when all others had as much to do. Since then the manager may have looked at the rings, for
    // one that has become free, and gone to sleep.
    return worker.in_ring() > 1 && somebody_is_free(held) ? placement::to_move : placement::in_ring;
  }
  --worker.reserved;
  return placement::elsewhere;
}

// A task that could not be encoded or sent. If that was for want of descriptors or memory, and something is under way
// that will give some back, it only has to wait.
core_ptr<core> process_pool_state::unsent(core_ptr<core> task, process::remote_worker& worker,
                                          std::optional<std::uint32_t> starved_at,
                                          const std::exception_ptr& error) noexcept {
  release_slot(worker);
  if (starved_at) {
    const lock held(mutex_);
    if (*starved_at != collections_.load(std::memory_order_relaxed))
      return task;  // meanwhile some was given back
    starved_ =
        std::any_of(workers_.begin(), workers_.end(), [](const worker_ptr& w) { return w->in_ring() != 0; });
    if (starved_) return task;
  }
  settle_one(std::move(task), error);
  return {};
}

void process_pool_state::room_is_made(const lock&) noexcept {
  starved_ = false;
  collections_.fetch_add(1, std::memory_order_relaxed);
}

// A slot that was promised stays free: somebody may be waiting for it, in the backlog or behind another worker's task.
void process_pool_state::release_slot(process::remote_worker& worker) noexcept {
  bool wanted = false;
  {
    const lock held(mutex_);
    --worker.reserved;
    wanted = !backlog_.empty() || worker.load() == 0;
  }
  if (wanted) bell_.raise();
}

}  // namespace tandem::detail
