// process_pool: tasks run in worker processes, which are this same program (see init.hpp). A crash, a leak or
// a memory-eating task ends with its worker; the pool, the other tasks and this process go on.
#ifndef TANDEM_PROCESS_POOL_HPP
#define TANDEM_PROCESS_POOL_HPP

#include <tandem/executor.hpp>
#include <tandem/init.hpp>
#include <tandem/preload.hpp>
#include <tandem/worker_hook.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tandem {

/// How workers come into being.
enum class start_method : unsigned char {
  /// A clean, single-threaded copy of this program is started once and forks the workers, in about a
  /// millisecond each. They share nothing with this process. The default.
  fork_server,
  /// As above, but the server is a fork of this process as it is now: workers share all data that is loaded,
  /// copy-on-write. Refused with start_error when this process has more than one thread.
  fork,
  /// Every worker is a fresh start of this program: it shares no memory with others, and its static initializers run
  /// as at any start. Costs one such start a worker, some milliseconds for a small program.
  spawn
};

/// What becomes of a task that wants more memory than process_pool_options::memory_limit.
enum class when_out_of_memory : unsigned char {
  /// Its allocation fails with std::bad_alloc. The default.
  bad_alloc,
  /// When operator new fails its worker aborts, so that the task gets worker_died_error with the stack, and no other task
  /// a process that is short of memory. What checks malloc() itself is not concerned.
  kill
};

namespace detail {
class process_pool_state;
}

/// How a process_pool is set up. All fields have defaults; counts are refused with std::invalid_argument when
/// negative.
struct process_pool_options {
  /// Workers at the same time; 0: the CPUs that this process may use. They are started when there is work for
  /// them.
  int max_workers = 0;
  /// Workers are called `prefix-0`, `prefix-1`, ... in ps and top (15 characters at most).
  std::string name_prefix = "tandem";
  /// How workers are started.
  start_method start = start_method::fork_server;
  /// Called by each worker before its first task. If it throws, the pool is broken.
  worker_hook initializer{};
  /// How long a worker may take from its start until it has called the initializer. One that is late is killed, what was
  /// meant for it goes to others, and another is started in its place; when that has happened some times in a row, the
  /// pool is broken. Must be positive. None: for ever.
  time_limit start_timeout{};
  /// Called by each worker before it ends in an orderly way.
  worker_hook finalizer{};
  /// How many tasks may wait, beyond max_workers that run; 0: any number.
  int queue_capacity = 0;
  /// What submit() does when the queue is full. run_in_caller runs the task in this process, where a crash is
  /// everybody's.
  tandem::when_full when_full = tandem::when_full::block;
  /// A worker is replaced after this many tasks; 0: never.
  int max_tasks_per_worker = 0;
  /// Bytes of private memory (heap, anonymous mappings) that a worker may have beyond what it was born with. 0: no limit.
  std::size_t memory_limit = 0;
  /// What becomes of a task that goes beyond memory_limit.
  tandem::when_out_of_memory when_out_of_memory = tandem::when_out_of_memory::bad_alloc;
  /// A worker that has more bytes of private memory resident after a task is replaced: for tasks that leak. It costs a look at
  /// /proc behind each task. 0: no limit.
  std::size_t max_memory_per_worker = 0;
  /// CPU time that a task may use, in all threads of the worker; the worker then dies of SIGXCPU (unless the task handles that
  /// signal), and the task gets worker_died_error. Rounded up to the next whole second of the worker's CPU time (RLIMIT_CPU), so up to a second
  /// more. Must be positive. None: no limit.
  time_limit cpu_time_limit{};
  /// Added to the nice value of this process, -20 to 19; what is negative takes privileges.
  int nice = 0;
  /// Numbers of the CPUs that workers may run on; empty: those of this process.
  std::vector<int> affinity{};
  /// Environment variables to be set in the workers, or to be taken away, where there is no value. They are there before the
  /// initializer.
  std::map<std::string, std::optional<std::string>> environment{};
  /// Where the workers are, as seen from this process when the pool is made; empty: where this process was then.
  std::string working_directory{};
  /// -1000 to 1000: the higher, the sooner the kernel kills a worker when the machine is out of memory, and not this
  /// process. Less than that of this process takes privileges; best effort.
  int oom_score_adj = 500;
  /// future::cancel() of a running task kills its worker; the future is cancelled.
  bool kill_on_cancel = false;
  /// How long a worker may have nothing to do before it ends (with the finalizer); when there is work for it, a new
  /// one is started, which takes a millisecond or so. None: for ever. Must be positive.
  time_limit idle_timeout{};
  /// Gets the exceptions that no future can receive, in this process; empty: they are reported on stderr.
  tandem::error_handler error_handler{};
  /// A task that has killed so many workers in a row is not tried again, whatever its task_options::retries; 0: no end.
  int max_deaths_per_task = 10;
  /// Called in this process for each worker that ended without having been told to, retried tasks and workers that the pool
  /// killed included; before the future of a lost task is resolved. It is called on the pool's own thread, which
  /// deals out all tasks: what it blocks waits. It may submit to the pool, not wait for it. What it throws goes to
  /// error_handler.
  std::function<void(const worker_death&)> on_worker_death{};
};

/// Runs tasks in worker processes.
///
/// Callable, arguments and result must be portable (codec.hpp): what is not does not compile, and through
/// executor& gives a future that holds not_portable_error. A worker that dies fails the task that it was
/// running with worker_died_error, and no other; it is replaced. Workers end with this process, however it
/// ends.
///
/// All members are thread-safe. All task_options are honoured: with timeout the worker is killed and the future gets
/// timeout_error; retries are made after a worker's death.
class TANDEM_API process_pool final
    : public executor,
      public detail::submit_front<process_pool, detail::remote_mode::required> {
  using front = detail::submit_front<process_pool, detail::remote_mode::required>;

 public:
  /// Starts the fork server (some milliseconds), not yet any worker.
  /// @throws start_error if main did not call init(), if the server or what the pool itself needs (descriptors, shared
  ///   memory, a thread) is not to be had, or if pools are nested too deeply; std::invalid_argument for options that cannot be
  explicit process_pool(process_pool_options options = {});
  /// shutdown(): accepted tasks are run first.
  ~process_pool() override;

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

  /// process_pool_options::max_workers, what was chosen for 0, or what resize() has made of it.
  [[nodiscard]] int max_workers() const noexcept override;
  /// From now on there are as many workers at the most; 0: as many as CPUs that this process may use.
  ///
  /// If that is more than before, workers are started for what waits. If it is less, those who are too many - idle ones
  /// first - get no further task, and end when they have answered what they run; what waits for them goes to others.
  /// Does not wait for anything.
  /// @throws std::invalid_argument if negative or above 65535; shutdown_error, broken_pool_error as submit()
  void resize(int max_workers);
  /// See executor. Called from a callback that the pool itself runs, `wait` is refused with
  /// invalid_state_error.
  void shutdown(shutdown_options options = {}) override;
  /// Ends the pool now, without running what it has accepted: each future of a task that has no result yet throws
  /// cancelled_error, at once; workers get SIGTERM and, 250 ms later, SIGKILL. Finalizers are not called.
  ///
  /// Returns when the workers are gone, and all processes that their tasks have started, also in groups and sessions of their
  /// own - but for those that this user may not kill. (A pool whose fork server was killed by somebody loses sight of
  /// those.) Tasks that run in this process, under when_full::run_in_caller, are awaited. Thread-safe; once it has returned, as
  /// after shutdown().
  /// @throws invalid_state_error in a callback that the pool itself runs
  void terminate();
  /// As terminate(), with SIGKILL at once. Also makes a terminate() that another thread has called do so.
  void kill();
  [[nodiscard]] executor_stats stats() const override;

  void check(const task_options& options) const override;
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
  /// False: tasks run in other processes.
  [[nodiscard]] bool in_process() const noexcept override { return false; }

 private:
  std::shared_ptr<detail::process_pool_state> state_;
};

}  // namespace tandem

#endif
