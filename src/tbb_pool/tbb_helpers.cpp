#include "tbb_pool/tbb_helpers.hpp"

#include "tbb_pool/tbb_pool_state.hpp"

namespace tandem::detail {

namespace {
// Depth of begin_blocking() of this thread, which is in one arena at a time.
thread_local constinit int blocking = 0;
}  // namespace

// Workers come here too: they say who they are when they are in.
void tbb_helpers::on_scheduler_entry(bool) {
  if (current_worker() == nullptr) set_current_worker(this);
}

void tbb_helpers::on_scheduler_exit(bool) {
  if (is_here()) set_current_worker(nullptr);
}

bool tbb_helpers::try_run(core& task) noexcept {
  if (task.owner() != &pool_ || !task.try_start()) return false;
  // Not counted as begun where the pool has a bound: it takes no worker away from those that wait.
  running_.fetch_add(1, std::memory_order_relaxed);
  execute_in_context(task);
  if (word::phase(task.load()) == word::failed) failed_.fetch_add(1, std::memory_order_relaxed);
  running_.fetch_sub(1, std::memory_order_relaxed);
  finished_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void tbb_helpers::begin_blocking() noexcept {
  if (!pool_.in_forked_child() && blocking++ == 0) pool_.begin_blocking();
}

void tbb_helpers::end_blocking() noexcept {
  if (!pool_.in_forked_child() && --blocking == 0) pool_.end_blocking();
}

void tbb_helpers::add_to(executor_stats& stats) const noexcept {
  stats.finished += finished_.load(std::memory_order_relaxed);
  stats.failed += failed_.load(std::memory_order_relaxed);
  stats.running += running_.load(std::memory_order_relaxed);
}

}  // namespace tandem::detail
