// From a submitter or the backlog into the workers' rings: who gets a task, and how several at once are encoded and placed.
#include "process_pool/pool_state.hpp"

#include <algorithm>
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
  if (w.retiring || w.load() >= deepest) return false;
  if (options_.max_tasks_per_worker != 0 &&
      w.placed + static_cast<int>(w.reserved) >= options_.max_tasks_per_worker)
    return false;
  return w.load() == 0 || !(w.slow_front || (w.large_requests != 0 && w.load() >= most_large));
}

// Encodes outside the mutex, for that is the user's code, and places them all at once: a worker that is woken for the first finds
// the others too. Returns those that have to wait after all, still started.
process::task_list process_pool_state::dispatch(std::span<process::outgoing> batch) noexcept {
  const std::uint32_t before = collections_.load(std::memory_order_relaxed);
  bool enough = false;
  for (process::outgoing& o : batch) {
    if (!o.task->try_start()) {
      o.now = process::outgoing::stage::cancelled;
    } else if (!enough) {
      encode(o);
      enough = o.request->is_large();  // the others wait: what lies in slabs is not to pile up here
    }
  }
  bool wake_manager = false;
  {
    const lock held(mutex_);
    for (process::outgoing& o : batch) wake_manager = place(o, held) || wake_manager;
    for (process::outgoing& o : batch) o.worker->has_new = false;
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
      case process::outgoing::stage::elsewhere:
        homeless.push_back(std::move(o.task));
        break;
      case process::outgoing::stage::unsent:
        if (core_ptr<core> task = unsent(o, before)) homeless.push_back(std::move(task));
        break;
      case process::outgoing::stage::cancelled:
        release_slot(*o.worker);
        forget_cancelled(1);
        break;
      case process::outgoing::stage::nowhere:
        release_slot(*o.worker);
        settle_one(std::move(o.task), nullptr);
        break;
    }
  }
  return homeless;
}

void process_pool_state::encode(process::outgoing& o) noexcept {
  process::encoded_request& request = o.request.emplace(slabs_, gone_buffers_);
  try {
    const remote_ops* ops = o.task->remote();
    o.name = ops->name();
    ops->encode(*o.task, request.out());
  } catch (...) {
    o.fail(request.starved());
  }
}

// Takes the task if it puts it into the ring, and uses the promised slot unless the task goes nowhere. True if the manager is to be
// woken: it has a time limit to keep, or another worker has become free.
bool process_pool_state::place(process::outgoing& o, const lock& held) noexcept {
  if (o.now != process::outgoing::stage::elsewhere) return false;
  // A cancel() that came while it was being encoded found it nowhere.
  if (cancelling_ || (o.task->load() & word::stop_requested) != 0) {
    o.now = process::outgoing::stage::nowhere;
    return false;
  }
  process::remote_worker& worker = *o.worker;
  const auto fits = [&] { return !o.request->is_large() || worker.large_requests < most_large; };
  const bool overtakes = has_priorities_ && backlog_.has_before(o.rank);
  if (!o.request || !fits() || worker.gone || worker.retiring || overtakes) {
    --worker.reserved;
    return false;
  }
  const task_options* const options = o.task->options();
  const auto size = static_cast<std::int64_t>(o.request->size());
  try {
    worker.put(o.task, o.rank, o.name, *o.request);
  } catch (const std::system_error& e) {  // its memfd could not be sent
    o.fail(process::is_shortage(e));
    return false;
  } catch (const std::bad_alloc&) {
    o.fail(true);
    return false;
  }
  o.now = process::outgoing::stage::in_ring;
  o.wakes = !std::exchange(worker.has_new, true);
  --worker.reserved;
  bytes_sent_ += size;
  if (options_.max_tasks_per_worker != 0 && worker.placed >= options_.max_tasks_per_worker) worker.close();
  // The slot was promised when all others had as much to do. Since then the manager may have looked at the rings, for one
  // that has become free, and gone to sleep.
  return (options != nullptr && options->timeout.has_value()) ||
         (worker.in_ring() > 1 && somebody_is_free(held));
}

// A task that could not be encoded or sent. If that was for want of descriptors or memory, and something is under way
// that will give some back, or has since `before`, it only has to wait.
core_ptr<core> process_pool_state::unsent(process::outgoing& o, std::uint32_t before) noexcept {
  release_slot(*o.worker);
  if (o.starved) {
    const lock held(mutex_);
    if (before != collections_.load(std::memory_order_relaxed)) return std::move(o.task);
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
