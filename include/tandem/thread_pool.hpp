// thread_pool: runs tasks on threads of this process. What users see; how it works is src/thread_pool/ and
// src/dispatch/.
#ifndef TANDEM_THREAD_POOL_HPP
#define TANDEM_THREAD_POOL_HPP

#include <tandem/executor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tandem {

namespace detail {
class thread_pool_state;
}

/// How a thread_pool is made: `tandem::thread_pool pool({.max_workers = 4, .name_prefix = "fetch"});`
struct thread_pool_options {
  /// As many tasks run at the same time; 0: as many as CPUs that this process may use (affinity and cgroup quota),
  /// or as `affinity` names if those are fewer. Workers are started when they are needed, up to this number.
  int max_workers = 0;
  /// Workers are named "prefix-0", "prefix-1", ... for ps, top and debuggers; Linux keeps 15 bytes, of which the
  /// number is never cut.
  std::string name_prefix = "tandem";
  /// Called once on each worker before its first task. If it throws, the pool is broken: the error is reported on
  /// stderr, waiting tasks and later submits get broken_pool_error.
  std::function<void()> initializer{};
  /// Called once on each worker behind its last task. What it throws goes to error_handler.
  std::function<void()> finalizer{};
  /// How many tasks may wait, beyond those that find a free worker; 0: any number. A cancelled task waits until its
  /// turn comes.
  int queue_capacity = 0;
  /// What submit() does when the queue is full.
  tandem::when_full when_full = tandem::when_full::block;
  /// Stack of a worker in bytes; 0: the system's default (ulimit -s).
  std::size_t stack_size = 0;
  /// Numbers of the CPUs that workers may run on; empty: those of the thread that starts them.
  std::vector<int> affinity{};
  /// How many workers beyond max_workers there may be to stand in for those that are blocked in get(), wait() or a
  /// this_task::blocking_region while tasks wait. They go when they are not needed any more. With 0, tasks that wait
  /// for others by these means can deadlock.
  int max_spare_workers = 64;
  /// How long a worker may sleep before its thread ends (with the finalizer); when it is needed again, a new thread is
  /// started (with the initializer), which takes some 50 us. None: for ever. Must be positive.
  time_limit idle_timeout{};
  /// Gets the exceptions that no future can receive; empty: they are reported on stderr.
  tandem::error_handler error_handler{};
};

/// Runs tasks on threads of this process, by priority and in order of submission (those of one submitting thread; several
/// workers may overtake each other).
///
/// Idle workers sleep and use no CPU. get() and wait() in a task on a future of the same pool run that task in place
/// if it has not started, and otherwise let a spare worker stand in: they cannot deadlock, also with one worker.
///
/// Thread-safe, but for the destructor, which must come last. Destroying the pool is shutdown(): accepted tasks are
/// run first. Destroyed on one of its own workers (which a task must not do), it cannot wait: it says so on stderr,
/// and its workers finish without it. In a forked child, where the workers do not exist, submit() throws
/// broken_pool_error, and shutdown() and the destructor return at once.
class TANDEM_API thread_pool final : public executor,
                                     public detail::submit_front<thread_pool, detail::remote_mode::never> {
  using front = detail::submit_front<thread_pool, detail::remote_mode::never>;

 public:
  /// Starts no thread yet.
  /// @throws std::invalid_argument if a field of `options` is negative or not supported, or `affinity` names a CPU
  /// that does not exist; the message names the field and the value
  explicit thread_pool(thread_pool_options options = {});
  ~thread_pool() override;

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

  /// thread_pool_options::max_workers, what was chosen for 0, or what resize() has made of it.
  [[nodiscard]] int max_workers() const noexcept override;
  /// From now on as many tasks run at the same time; 0: chosen as for thread_pool_options::max_workers.
  ///
  /// If that is more than before, workers come for what waits. If it is less, those who are too many begin no further
  /// task and go; what they had not begun is run by the others. Tasks that run are not disturbed. Thread-safe, may be
  /// called by a task, does not wait for anything.
  /// @throws std::invalid_argument if negative or above 8191; shutdown_error, broken_pool_error as submit();
  /// std::bad_alloc, with nothing changed
  void resize(int max_workers);
  void shutdown(shutdown_options options = {}) override;
  [[nodiscard]] executor_stats stats() const override;
  /// For submit() and post(): takes a task.
  void enqueue(detail::core_ptr<detail::core> task) override;
  /// For future::then(): as enqueue(), by a thread that does not keep the pool alive.
  void enqueue_from_elsewhere(detail::core_ptr<detail::core> task) override;
  /// For submit_each(): takes many tasks; those that it could not take are left in `tasks` when it throws.
  void enqueue_all(std::span<detail::core_ptr<detail::core>> tasks) override;
  /// For map() and imap(): as enqueue(), but the bound does not refuse it.
  void enqueue_chunk(detail::core_ptr<detail::core> task) override;
  /// For submit_after() and its like: whose tasks they are.
  [[nodiscard]] const void* owner() const noexcept override;
  /// For submit_after() and its like: false from the beginning of shutdown() on.
  [[nodiscard]] bool is_open() const noexcept override;

 private:
  const std::shared_ptr<detail::thread_pool_state> state_;  // its workers hold it too
};

}  // namespace tandem

#endif
