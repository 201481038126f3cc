// Threads of oneTBB that help with an algorithm which a task of the pool has called. They are no workers, but they run
// parts of its tasks: what they submit must not wait for room that only they can make, and when they wait for a task
// of the pool they run it, or let a spare stand in, as a worker does.
#ifndef TANDEM_TBB_POOL_TBB_HELPERS_HPP
#define TANDEM_TBB_POOL_TBB_HELPERS_HPP

#include <tandem/detail/context.hpp>
#include <tandem/detail/core.hpp>
#include <tandem/executor.hpp>

#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include <atomic>
#include <cstdint>

namespace tandem::detail {

class tbb_pool_state;

/// One object for all of them, which knows nothing of a single one. Thread-safe.
class tbb_helpers final : public worker_context, private tbb::task_scheduler_observer {
 public:
  /// From now on every thread that comes into the arena, and is no worker, is a helper.
  tbb_helpers(tbb_pool_state& pool, tbb::task_arena& arena) : task_scheduler_observer(arena), pool_(pool) {
    observe(true);
  }
  ~tbb_helpers() override { observe(false); }

  /// The calling thread is one of them.
  [[nodiscard]] bool is_here() const noexcept { return current_worker() == this; }

  // --- for waiting futures: on the helper's own thread ---
  [[nodiscard]] bool try_run(core& task) noexcept override;
  [[nodiscard]] bool can_be_stood_in_for() const noexcept override { return false; }
  void begin_blocking() noexcept override;
  void end_blocking() noexcept override;
  [[nodiscard]] int index() const noexcept override { return -1; }

  /// Counts the tasks that were run here.
  void add_to(executor_stats& stats) const noexcept;

 private:
  void on_scheduler_entry(bool is_worker) override;
  void on_scheduler_exit(bool is_worker) override;

  tbb_pool_state& pool_;
  std::atomic<std::int64_t> running_{0};
  std::atomic<std::int64_t> finished_{0};
  std::atomic<std::int64_t> failed_{0};
};

}  // namespace tandem::detail

#endif
