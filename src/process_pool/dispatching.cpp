// From a submitter or the backlog into the workers' rings: who gets a task, and how several at once are encoded and placed.
#include "process_pool/pool_state.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

namespace tandem::detail {

namespace {

// How long the tasks in one worker's ring shall last: much longer than the manager needs to refill it.
constexpr double ring_nanoseconds = 200e3;

// Large requests in one worker's ring: the next one is there when the first is done. Each costs a descriptor.
constexpr std::size_t most_large = 2;

// What encoding several tasks may take before the first of them is placed: not much more than to wake a worker.
constexpr std::chrono::microseconds batch_time{50};

}  // namespace

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
  if (w.retiring || w.gone || w.load() >= deepest) return false;
  if (options_.max_tasks_per_worker != 0 &&
      w.placed + static_cast<int>(w.reserved) >= options_.max_tasks_per_worker)
    return false;
  return w.load() == 0 || !(w.slow_front || (w.large_requests != 0 && w.load() >= most_large));
}

// Outside the mutex: encoding is the user's code. As many as go in a short time, the first in any case: it waits for the
// others, and so does its worker. Returns how many there should be the next time.
std::size_t process_pool_state::start_and_encode(std::span<process::outgoing> batch) noexcept {
  const auto begin =
      batch.size() > 1 ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
  std::size_t next = std::min(2 * batch.size(), process::slot_count);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    process::outgoing& o = batch[i];
    if (!o.task->try_start()) {
      o.now = process::outgoing::stage::cancelled;
      continue;
    }
    o.now = process::outgoing::stage::elsewhere;
    if (next <= i) continue;
    if (i != 0 && std::chrono::steady_clock::now() - begin > batch_time) {
      next = i;
      continue;
    }
    encode(o);
    // What lies in slabs is not to pile up here, nor are messages to be sent under the mutex.
    if (o.request->is_large() || o.request->has_buffers()) next = 1;
  }
  return next;
}

void process_pool_state::encode(process::outgoing& o) noexcept {
  o.collections = collections_.load(std::memory_order_relaxed);
  process::encoded_request& request = o.request.emplace(slabs_, gone_buffers_);
  try {
    const remote_ops* ops = o.task->remote();
    o.name = ops->name();
    ops->encode(*o.task, request.out());
    o.now = process::outgoing::stage::encoded;
  } catch (...) {
    o.fail(request.starved());
  }
}

// Puts what is encoded into the rings, and wakes each worker once: had it been woken for the first, it would, where there are more
// threads than CPUs, take ours, run that one and sleep again. Returns those that have to wait after all, still started.
process::task_list process_pool_state::place(std::span<process::outgoing> batch) noexcept {
  bool wake_manager = false;
  {
    const lock held(mutex_);
    bool waits_behind_another = false;
    for (process::outgoing& o : batch) {
      if (o.now == process::outgoing::stage::encoded) {
        place(o, held);
      } else if (o.now == process::outgoing::stage::elsewhere) {
        --o.worker->reserved;
      }
      if (o.now != process::outgoing::stage::in_ring) continue;
      wake_manager = wake_manager || o.timed;
      waits_behind_another = waits_behind_another || o.worker->in_ring() > 1;
    }
    for (process::outgoing& o : batch) o.worker->has_new = false;
    // The slots were promised when all others had as much to do. Since then the manager may have looked at the rings, for one that
    // has become free, and gone to sleep.
    wake_manager = wake_manager || (waits_behind_another && somebody_is_free(held));
  }
  for (process::outgoing& o : batch) {
    if (o.wakes) o.worker->wake();
  }
  if (wake_manager) bell_.raise();
  process::task_list homeless;
  for (process::outgoing& o : batch) {
    switch (o.now) {
      case process::outgoing::stage::in_ring:
        break;
      case process::outgoing::stage::unsent:
        if (core_ptr<core> task = unsent(o)) homeless.push_back(std::move(task));
        break;
      case process::outgoing::stage::cancelled:
        release_slot(*o.worker);
        forget_cancelled(1);
        break;
      case process::outgoing::stage::nowhere:
        release_slot(*o.worker);
        settle_one(std::move(o.task), nullptr);
        break;
      default:
        homeless.push_back(std::move(o.task));
    }
  }
  return homeless;
}

// Takes the task if it puts it into the ring. Uses the promised slot for that, or gives it back if the task goes elsewhere.
void process_pool_state::place(process::outgoing& o, const lock&) noexcept {
  // A cancel() that came while it was being encoded found it nowhere.
  if (cancelling_ || (o.task->load() & word::stop_requested) != 0) {
    o.now = process::outgoing::stage::nowhere;
    return;
  }
  process::remote_worker& worker = *o.worker;
  const bool too_large = o.request->is_large() && worker.large_requests >= most_large;
  if (worker.gone || worker.retiring || too_large) {
    o.now = process::outgoing::stage::elsewhere;
    --worker.reserved;
    return;
  }
  const task_options* const options = o.task->options();
  const auto size = static_cast<std::int64_t>(o.request->size());
  try {
    worker.put(o.task, o.rank, o.name, *o.request);
  } catch (const std::system_error& e) {  // its memfd could not be sent
    return o.fail(process::is_shortage(e));
  } catch (const std::bad_alloc&) {
    return o.fail(true);
  }
  o.now = process::outgoing::stage::in_ring;
  o.wakes = !std::exchange(worker.has_new, true);
  o.timed = options != nullptr && options->timeout.has_value();  // the manager has a deadline to keep
  --worker.reserved;
  bytes_sent_ += size;
  if (options_.max_tasks_per_worker != 0 && worker.placed >= options_.max_tasks_per_worker) worker.close();
}

// A task that could not be encoded or sent. If that was for want of descriptors or memory, and something is under way
// that will give some back, or has since we tried, it only has to wait.
core_ptr<core> process_pool_state::unsent(process::outgoing& o) noexcept {
  release_slot(*o.worker);
  if (o.starved) {
    const lock held(mutex_);
    if (o.collections != collections_.load(std::memory_order_relaxed)) return std::move(o.task);
    starved_ =
        std::any_of(workers_.begin(), workers_.end(), [](const worker_ptr& w) { return w->in_ring() != 0; });
    if (starved_) return std::move(o.task);
  }
  settle_one(std::move(o.task), o.error);
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
