// What a tbb_pool and its workers share: the queue, the crew, the arena in which tasks run, and the
// ways into the pool (enqueue) and out of it (shutdown, broken).
#ifndef TANDEM_TBB_POOL_TBB_POOL_STATE_HPP
#define TANDEM_TBB_POOL_TBB_POOL_STATE_HPP

#include <tandem/executor.hpp>
#include <tandem/tbb_pool.hpp>

#include "dispatch/lanes.hpp"
#include "executor/queue_bound.hpp"
#include "executor/waiting_count.hpp"
#include "future/task_owner.hpp"
#include "tbb_pool/tbb_crew.hpp"
#include "tbb_pool/tbb_helpers.hpp"
#include "tbb_pool/tbb_worker.hpp"
#include "tbb_pool/worker_limit.hpp"

#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace tandem::detail {

class tbb_pool_state final : public task_owner,
                             public std::enable_shared_from_this<tbb_pool_state>,
                             private bounded_queue {
 public:
  /// `options` have been checked.
  explicit tbb_pool_state(tbb_pool_options options);
  ~tbb_pool_state();

  void enqueue(core_ptr<core> task, admission how);
  [[nodiscard]] bool is_open() const noexcept {
    return !in_forked_child() && !closing_.load(std::memory_order_seq_cst) && !is_broken();
  }
  void shutdown(const shutdown_options& options);
  [[nodiscard]] executor_stats stats() const;
  [[nodiscard]] const tbb_pool_options& options() const noexcept { return options_; }
  /// The pool needs the calling thread to come to its end: it runs a task, as a worker or within submit(), or is in a
  /// callback of one that it cancels.
  [[nodiscard]] bool in_own_task() const noexcept {
    return is_own_worker() || bound_.runs_here() || resolvers_.is_here();
  }
  /// This process is a fork of the one that has the pool's threads.
  [[nodiscard]] bool in_forked_child() const noexcept;
  /// On an own worker: accepts nothing more, and lives on by `self` until the last worker has left.
  void abandon(std::shared_ptr<tbb_pool_state> self) noexcept;

  // --- for tasks, by task_owner ---
  bool stop_running(core& task) noexcept override;
  bool take_unhandled(const char* where, const std::exception_ptr& error) noexcept override;

  // --- for its workers ---
  [[nodiscard]] dispatch::lanes<core>& queue() noexcept { return queue_; }
  [[nodiscard]] tbb::task_arena& arena() noexcept { return arena_; }
  [[nodiscard]] const tbb_crew& crew() const noexcept { return crew_; }
  /// Idle workers park instead of giving their threads back.
  [[nodiscard]] bool keeps_threads() const noexcept { return keeps_threads_; }
  [[nodiscard]] bool is_broken() const noexcept { return broken_.load(std::memory_order_acquire); }
  /// shutdown({.cancel_pending = true}) has begun: what is taken from the queue is to be cancelled, not run.
  [[nodiscard]] bool is_cancelling() const noexcept { return cancelling_.load(std::memory_order_relaxed); }
  void cancel(core& task) noexcept;
  /// The pool can run nothing any more; `why` goes into the errors.
  void break_down(const std::string& why) noexcept;
  /// Resolves a task that has been started and cannot be run.
  void fail(core& task) noexcept;
  /// The worker has found the queue empty. False: its visit is over. Otherwise there is more to do, perhaps after a
  /// sleep. After false, a worker that does not keep its thread may not touch this object any more.
  [[nodiscard]] bool rest(tbb_worker& worker) noexcept;
  /// A worker that keeps its thread ends. The last that it does here.
  void leave() noexcept;
  /// A task is about to block its worker, and goes on: meanwhile a spare may work.
  void begin_blocking() noexcept;
  void end_blocking() noexcept;
  // Of a pool with a bound, where each task is counted.
  [[nodiscard]] bool is_bounded() const noexcept { return bound_.exists(); }
  /// A task from the queue is about to run.
  void note_begin() noexcept {
    waiting_.begin();
    bound_.wake();
  }
  /// A task is about to run in place, for one that waits for it; its place in the queue stays.
  void note_begin_in_place() noexcept { waiting_.begin_in_place(); }
  /// What was in the queue will not run from there.
  void note_leave() noexcept {
    waiting_.leave();
    bound_.wake();
  }

 private:
  [[nodiscard]] bool try_enter() noexcept override;
  void enter_anyway() noexcept override { waiting_.enter(); }
  void throw_if_closed() const override;
  /// Or a helper, which is as much needed.
  [[nodiscard]] bool is_own_worker() const noexcept override;
  void call_worker() noexcept;
  void dismiss_parked() noexcept;
  void cancel_not_due() noexcept;
  void cancel_waiting() noexcept;
  void fail_waiting() noexcept;
  void wait_until_gone() noexcept;
  std::shared_ptr<tbb_pool_state> count_out() noexcept;
  [[noreturn]] void refuse() const;
  [[nodiscard]] broken_pool_error broken_error() const;

  const tbb_pool_options options_;
  const bool keeps_threads_;
  const std::uint32_t generation_;  // of forks: where the threads are
  queue_bound bound_;
  outsiders resolvers_;       // threads that cancel or fail what waits
  waiting_count waiting_;     // only if there is a bound
  const worker_limit limit_;  // before the arenas
  tbb::task_arena arena_;
  tbb_helpers helpers_;  // behind the arena
  dispatch::lanes<core> queue_;
  std::atomic<bool> closing_{false};        // set by shutdown(), read by workers that are about to park
  std::atomic<bool> cancelling_{false};     // set by shutdown(), read by workers before they run a task
  std::atomic<bool> broken_{false};         // set once, after broken_why_
  std::atomic<std::int64_t> cancelled_{0};  // by shutdown()
  std::atomic<std::int64_t> failed_{0};     // because the pool is broken
  std::atomic<std::uint32_t> departures_{
      0};  // futex word of wait_until_gone(): counts when the last one leaves

  mutable std::mutex mutex_;  // guards what follows, and tbb_worker::is_parked
  tbb_crew crew_;             // some of it is read without the mutex
  int present_ = 0;           // workers that have, or have been promised, a thread
  std::string broken_why_;
  std::shared_ptr<tbb_pool_state> self_;  // only when abandoned
};

}  // namespace tandem::detail

#endif
