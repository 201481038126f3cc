// What a thread_pool and its workers share: queue, roster and crew, and the ways into the pool (enqueue) and out of it
// (shutdown, broken). Held by the pool and by each of its threads, so that a pool destroyed on its own worker leaves
// nothing dangling.
#ifndef TANDEM_THREAD_POOL_THREAD_POOL_STATE_HPP
#define TANDEM_THREAD_POOL_THREAD_POOL_STATE_HPP

#include <tandem/executor.hpp>
#include <tandem/thread_pool.hpp>

#include "dispatch/lanes.hpp"
#include "dispatch/roster.hpp"
#include "executor/outsiders.hpp"
#include "executor/queue_bound.hpp"
#include "executor/waiting_count.hpp"
#include "future/task_owner.hpp"
#include "posix/clock.hpp"
#include "thread_pool/thread_crew.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace tandem::detail {

class thread_pool_state final : public task_owner,
                                public std::enable_shared_from_this<thread_pool_state>,
                                private bounded_queue {
 public:
  /// `options` have been checked; `usable_cpus` decides whether looking for work may take CPU time.
  thread_pool_state(thread_pool_options options, int usable_cpus);
  ~thread_pool_state();

  void enqueue(core_ptr<core> task, admission how);
  /// See task_sink::enqueue_all(): looks for a worker once.
  void enqueue_all(std::span<core_ptr<core>> tasks);
  [[nodiscard]] bool is_open() const noexcept { return !in_forked_child() && !roster_.look().ending(); }
  void shutdown(const shutdown_options& options);
  /// `workers` has been checked.
  void resize(int workers);
  [[nodiscard]] int max_workers() const noexcept { return roster_.most_active(); }
  [[nodiscard]] executor_stats stats() const;
  /// The pool is being destroyed: as shutdown() where that can be; never throws, never joins its own thread.
  void abandon() noexcept;
  [[nodiscard]] bool in_forked_child() const noexcept;
  [[nodiscard]] const thread_pool_options& options() const noexcept { return options_; }

  // --- for tasks, by task_owner ---
  bool stop_running(core& task) noexcept override;
  bool take_unhandled(const char* where, const std::exception_ptr& error) noexcept override;

  // --- for its workers ---
  /// The way in for those who do not know the pool by name.
  [[nodiscard]] task_sink& sink() noexcept { return sink_; }
  [[nodiscard]] dispatch::lanes<core>& lanes() noexcept { return lanes_; }
  [[nodiscard]] dispatch::roster& roster() noexcept { return roster_; }
  /// True if a task waits in any queue.
  [[nodiscard]] bool has_work() const noexcept;
  /// True if a task waits in a worker's ring: one of normal priority.
  [[nodiscard]] bool has_batches() const noexcept;
  /// True if a worker has forked something that nobody has begun.
  [[nodiscard]] bool has_forks() const noexcept;
  [[nodiscard]] std::size_t forks_for_others(int place) const noexcept;
  /// After work was published, or a worker ceased to be available: sees to it that somebody takes it.
  void call_worker() noexcept;
  /// The same, if there is work: for whoever was counted on, and is not available any more.
  void call_if_needed() noexcept {
    if (has_work()) call_worker();
  }
  /// Wakes somebody who sleeps, or starts the thread of one that has none; false if there is nobody.
  bool wake_worker() noexcept;
  /// After a resize to fewer: as many sleepers as there are too many workers get up, and go if they still are.
  void wake_surplus() noexcept;
  [[nodiscard]] thread_crew& crew() noexcept { return crew_; }
  /// When a worker that falls asleep now has slept enough.
  [[nodiscard]] posix::steady_time idle_deadline() const noexcept {
    return options_.idle_timeout.has_value() ? posix::deadline_after(options_.idle_timeout.value())
                                             : posix::no_deadline;
  }
  // Tasks in the rings of workers that have left: to be taken before those in the injector. A hint: has_work() and
  // steal() look at all rings in any case.
  [[nodiscard]] bool has_left_behind() const noexcept { return left_behind_.load(std::memory_order_relaxed); }
  void leave_behind() noexcept { left_behind_.store(true, std::memory_order_release); }
  void clear_left_behind() noexcept { left_behind_.exchange(false, std::memory_order_acq_rel); }
  /// A worker could not be set up: the pool can run nothing any more.
  void break_down(const std::string& why) noexcept;
  void fail_tasks(dispatch::batch_ring<core>& ring) noexcept;
  /// shutdown({.cancel_pending = true}) has begun: what is taken from the queue is not run.
  void cancel_tasks(dispatch::batch_ring<core>& ring) noexcept;
  void cancel(core* task) noexcept;
  /// The initializer is about to run, or has run: meanwhile the worker does not look for work, but will.
  void begin_initializer() noexcept;
  void end_initializer() noexcept;
  [[nodiscard]] bool may_spin() const noexcept { return may_spin_; }
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
  class own_sink final : public task_sink {
   public:
    explicit own_sink(thread_pool_state& pool) noexcept : pool_(pool) {}
    [[nodiscard]] int max_workers() const noexcept override { return pool_.max_workers(); }
    void enqueue(core_ptr<core> task) override { pool_.enqueue(std::move(task), admission::by_policy); }
    [[nodiscard]] const void* owner() const noexcept override { return &pool_; }
    [[nodiscard]] bool is_open() const noexcept override { return pool_.is_open(); }

   private:
    thread_pool_state& pool_;
  };

  [[nodiscard]] bool try_enter() noexcept override;
  void enter_anyway() noexcept override { waiting_.enter(); }
  void throw_if_closed() const override;
  [[nodiscard]] bool is_own_worker() const noexcept override { return crew_.has_this_thread(); }
  /// The pool needs the calling thread to come to its end.
  [[nodiscard]] bool is_ours() const noexcept {
    return crew_.has_this_thread() || bound_.runs_here() || resolvers_.is_here();
  }
  [[nodiscard]] bool someone_is_coming() const noexcept;
  void start_failed(const std::string& error) noexcept;
  void wake_all() noexcept;
  bool wake_any() noexcept;
  bool has_answered(dispatch::roster::call c) noexcept;
  void join_all();
  void cancel_not_due() noexcept;
  void cancel_waiting() noexcept;
  template <class Each>
  void drain(Each each) noexcept;
  template <class Each>
  void drain(dispatch::batch_ring<core>& ring, Each each) noexcept;
  void push(core_ptr<core>& task, priority which);
  void refuse_forked_child() const;
  [[noreturn]] void refuse(const char* what) const;
  void fail(core* task) noexcept;

  const thread_pool_options options_;
  own_sink sink_{*this};
  const bool may_spin_;
  const std::uint32_t generation_;  // of forks: where the threads are
  queue_bound bound_;
  dispatch::lanes<core> lanes_;
  dispatch::roster roster_;
  thread_crew crew_;
  std::mutex size_mutex_;                 // held by whoever resizes: one after the other
  std::atomic<bool> left_behind_{false};  // written by workers that leave and by those who take over
  std::atomic<int> initializing_{0};
  std::atomic<std::int64_t> cancelled_{0};  // by shutdown()
  std::atomic<std::int64_t> failed_{0};     // because the pool is broken
  waiting_count waiting_;                   // only if there is a bound
  outsiders resolvers_;                     // threads that cancel or fail what waits
  mutable std::mutex why_mutex_;            // guards broken_why_
  std::string broken_why_;
  std::mutex join_mutex_;  // held by whoever joins: a second one waits for the same end
};

}  // namespace tandem::detail

#endif
