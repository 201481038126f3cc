// tbb_pool: runs tasks on oneTBB's threads, so that they share the machine with the program's other oneTBB work and
// may use its parallel algorithms. What users see; how it works is src/tbb_pool/.
#ifndef TANDEM_TBB_POOL_HPP
#define TANDEM_TBB_POOL_HPP

#include <tandem/executor.hpp>

#include <functional>
#include <memory>

namespace tandem {

namespace detail {
class tbb_pool_state;
}

/// How a tbb_pool is made: `tandem::tbb_pool pool({.max_workers = 4});`
struct tbb_pool_options {
  /// As many tasks run at the same time; 0: as many as CPUs that this process may use (affinity and cgroup quota).
  /// May be more than there are CPUs.
  int max_workers = 0;
  /// Called once on each worker before its first task. If it throws, the pool is broken: waiting tasks and later
  /// submits get broken_pool_error. With an initializer or finalizer each worker keeps its oneTBB thread until
  /// shutdown(), so that what they set up stays with the tasks; without, idle workers give theirs back.
  std::function<void()> initializer{};
  /// Called once on each worker behind its last task. What it throws goes to error_handler.
  std::function<void()> finalizer{};
  /// How many tasks may wait, beyond those that find a free worker; 0: any number. A cancelled task waits until its
  /// turn comes.
  int queue_capacity = 0;
  /// What submit() does when the queue is full.
  tandem::when_full when_full = tandem::when_full::block;
  /// Gets the exceptions that no future can receive; empty: they are reported on stderr.
  tandem::error_handler error_handler{};
};

/// Runs tasks on oneTBB's threads, by priority and in order of submission. Has no threads of its own.
///
/// Tasks run in one task_arena of max_workers threads: oneTBB's parallel algorithms called by a task use the workers
/// that have no task, and no more. get() and wait() in a task on a future of the same pool run that task in place if
/// it has not started. Otherwise, and in a this_task::blocking_region, a spare worker stands in, up to 64 of them;
/// algorithms called by a task on a spare run on that one thread. If the program has set a lower limit on oneTBB's
/// threads, spares may get none.
///
/// oneTBB's limit on threads (global_control::max_allowed_parallelism) is raised by the workers of all pools that live,
/// so blocked tasks take no thread from anybody else; it is not lowered again. A lower limit set by the program takes
/// precedence: all pools and the program's own oneTBB work then share that many threads, less one.
///
/// Thread-safe, but for the destructor, which must come last. Destroying the pool is shutdown(): accepted tasks are
/// run first. Destroyed by one of its own tasks (which must not be), it cannot wait: it says so on stderr, and its
/// tasks finish without it. In a forked child, where the threads do not exist, submit() throws broken_pool_error, and
/// shutdown() and the destructor return at once.
class TANDEM_API tbb_pool final : public executor,
                                  public detail::submit_front<tbb_pool, detail::remote_mode::never> {
  using front = detail::submit_front<tbb_pool, detail::remote_mode::never>;

 public:
  /// Starts nothing yet.
  /// @throws std::invalid_argument if a field of `options` is negative or not supported; the message names the field
  /// and the value; start_error in a forked child of a process that had a tbb_pool
  explicit tbb_pool(tbb_pool_options options = {});
  ~tbb_pool() override;

  using front::imap;
  using front::imap_unordered;
  using front::map;
  using front::post;
  using front::starmap;
  using front::submit;
  using front::submit_after;
  using front::submit_at;
  using front::submit_each;
  using front::submit_every;
  /// For future::then(): how a function gets to where this executor runs.
  template <class F, class Handle>
  using then_remote = typename front::template then_remote<F, Handle>;

  /// tbb_pool_options::max_workers, or what was chosen for 0.
  [[nodiscard]] int max_workers() const noexcept override;
  void shutdown(shutdown_options options = {}) override;
  /// See executor. A worker counts as alive while it has a thread.
  [[nodiscard]] executor_stats stats() const override;
  /// For submit() and post(): takes a task.
  void enqueue(detail::core_ptr<detail::core> task) override;
  /// For future::then(): as enqueue(), by a thread that does not keep the pool alive.
  void enqueue_from_elsewhere(detail::core_ptr<detail::core> task) override;
  /// For map() and imap(): as enqueue(), but the bound does not refuse it.
  void enqueue_chunk(detail::core_ptr<detail::core> task) override;
  /// For submit_after() and its like: whose tasks they are.
  [[nodiscard]] const void* owner() const noexcept override;
  /// For submit_after() and its like: false from the beginning of shutdown() on.
  [[nodiscard]] bool is_open() const noexcept override;

 private:
  std::shared_ptr<detail::tbb_pool_state> state_;
};

}  // namespace tandem

#endif
