// Workers that are one too many: told to leave when they have answered what they have. Starting them is in
// recruiting.cpp, their deaths are in burial.cpp.
#include "process_pool/pool_state.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace tandem::detail {

// After resize(). Also when a worker has been started, for that may have been decided before.
void process_pool_state::dismiss_surplus_workers() noexcept {
  process::task_list recalled;
  while (const worker_ptr w = dismiss_surplus_worker(recalled)) w->wake();
  requeue(std::move(recalled));
}

// The one with the least to do, best one that has not begun yet; null if there are not too many. What
// it has not taken goes to `recalled`. The caller wakes it.
process_pool_state::worker_ptr process_pool_state::dismiss_surplus_worker(
    process::task_list& recalled) noexcept {
  const lock held(mutex_);
  const auto staying =
      std::count_if(workers_.begin(), workers_.end(), [](const worker_ptr& w) { return !w->retiring; });
  if (staying <= max_workers()) return nullptr;
  const worker_ptr* best = nullptr;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (const worker_ptr& w : workers_) {
    if (w->retiring) continue;
    const std::size_t effort = 2 * w->load() + (w->served ? 1 : 0);
    if (effort >= least) continue;
    least = effort;
    best = &w;
  }
  (*best)->recall_from(0, recalled);
  (*best)->dismissed = true;
  (*best)->close();
  return *best;
}

// It has left itself, as far as tasks go: it begins none of those that it has. Also if it is to go anyway, for then it has
// some all the same. It is replaced.
void process_pool_state::dismiss_outgrown_worker(process::remote_worker& worker) noexcept {
  process::task_list recalled;
  {
    const lock held(mutex_);
    worker.recall_from(0, recalled);
    worker.close();
  }
  worker.wake();
  if (recalled.empty()) return;
  requeue(std::move(recalled));
  bell_.raise();  // we may not be the manager
}

// Those that had nothing to do for idle_timeout. park() wakes up for the next one.
void process_pool_state::dismiss_idle_workers() {
  const time_point now = std::chrono::steady_clock::now();
  while (const worker_ptr w = dismiss_idle_worker(now)) w->wake();
}

process_pool_state::worker_ptr process_pool_state::dismiss_idle_worker(time_point now) noexcept {
  const lock held(mutex_);
  for (const worker_ptr& w : workers_) {
    if (!w->served || w->retiring || w->in_ring() != 0) continue;
    // A slot that is promised may be given back without anybody telling us, and a task may wait for descriptors: their
    // time begins anew, but it does begin.
    if (!w->idle_since || w->reserved != 0 || !backlog_.empty()) w->idle_since = now;
    if (now < *w->idle_since + options_.idle_timeout.value()) continue;
    w->dismissed = true;
    w->close();
    if (wanted_ > 0) --wanted_;  // not to be replaced, until there is demand
    return w;
  }
  return nullptr;
}

}  // namespace tandem::detail
