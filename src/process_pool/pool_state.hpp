// The process pool behind its handle: the tasks that wait, the workers, and the manager thread that keeps both
// moving. README.md has the actors and the data flow.
#ifndef TANDEM_PROCESS_POOL_POOL_STATE_HPP
#define TANDEM_PROCESS_POOL_POOL_STATE_HPP

#include "future/task_owner.hpp"

#include "posix/eager_lock.hpp"
#include "posix/event_fd.hpp"
#include "posix/fork_watch.hpp"

#include "executor/queue_bound.hpp"

#include "process_pool/backlog.hpp"
#include "process_pool/death.hpp"
#include "process_pool/outgoing.hpp"
#include "process_pool/protocol.hpp"
#include "process_pool/recruitment.hpp"
#include "process_pool/remote_worker.hpp"
#include "process_pool/retry_queue.hpp"
#include "process_pool/server_link.hpp"
#include "process_pool/task_list.hpp"

#include <tandem/process_pool.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tandem::detail {

class process_pool_state final : public task_owner,
                                 public std::enable_shared_from_this<process_pool_state>,
                                 private bounded_queue {
 public:
  /// Checks the options, starts the fork server and the manager thread. Throws std::invalid_argument, start_error.
  [[nodiscard]] static std::shared_ptr<process_pool_state> create(process_pool_options options);

  process_pool_state(const process_pool_state&) = delete;
  process_pool_state& operator=(const process_pool_state&) = delete;
  ~process_pool_state();

  [[nodiscard]] int max_workers() const noexcept { return max_workers_.load(std::memory_order_relaxed); }
  void resize(int workers);
  void enqueue(core_ptr<core> task, admission how);
  [[nodiscard]] bool is_open() const noexcept;
  void shutdown(const shutdown_options& options);
  /// How the pool ends: with all tasks run, with SIGTERM to the workers and some grace, with SIGKILL.
  enum class ending { in_order, with_grace, at_once };
  /// What process_pool::terminate() and kill() do.
  void end_by_force(ending how);
  [[nodiscard]] executor_stats stats() const;
  /// Of a task that has been dispatched: true if it is cancelled now.
  bool stop_running(core& task) noexcept override;
  bool take_unhandled(const char* where, const std::exception_ptr& error) noexcept override;
  void attend(core& task, const std::optional<time_point>& deadline) noexcept override;
  /// What the handle's destructor does: as shutdown(), or lets go where waiting is impossible.
  static void close_handle(std::shared_ptr<process_pool_state> state) noexcept;

 private:
  using worker_ptr = std::shared_ptr<process::remote_worker>;
  using lock = posix::eager_lock;

  explicit process_pool_state(process_pool_options options);

  // --- `held` says that the caller holds mutex_ ---

  // --- the way in: submission.cpp ---
  [[nodiscard]] process::hello greeting() const;
  void refuse_if_closed(const lock& held, const char* what = "submit") const;
  [[nodiscard]] bool try_enter() noexcept override;
  void enter_anyway() noexcept override;
  void throw_if_closed() const override;
  [[nodiscard]] bool is_own_worker() const noexcept override { return in_callback(); }
  void extract_cancelled(process::task_list& cancelled, const lock& held) noexcept;
  void accept(core_ptr<core> task);
  void fail_unsendable(core& task);
  void make_way(priority rank, process::task_list& recalled, const lock& held) noexcept;
  void want_workers(const lock& held) noexcept;

  // --- into the rings: dispatching.cpp ---
  [[nodiscard]] worker_ptr reserve_worker(const lock& held);
  [[nodiscard]] bool may_take_one(const process::remote_worker& w, std::size_t deepest,
                                  const lock& held) const noexcept;
  [[nodiscard]] std::size_t depth(const lock& held) const noexcept;
  std::size_t start_and_encode(std::span<process::outgoing> batch) noexcept;
  void encode(process::outgoing& o) noexcept;
  [[nodiscard]] process::task_list place(std::span<process::outgoing> batch) noexcept;
  void place(process::outgoing& o, const lock& held) noexcept;
  [[nodiscard]] core_ptr<core> unsent(process::outgoing& o) noexcept;
  void release_slot(process::remote_worker& worker) noexcept;

  // --- tasks that end without having run to their end: cancellation.cpp ---
  void cancel_not_due() noexcept;
  void cancel_waiting() noexcept;
  struct unbegun_tasks {
    process::task_list dispatched;  // to a worker, or to be tried again
    process::task_list waiting;
  };
  void take_unbegun(unbegun_tasks& unbegun, const lock& held) noexcept;
  void cancel(unbegun_tasks unbegun) noexcept;
  [[nodiscard]] std::pair<process::remote_worker*, std::size_t> find_flight(const core& task,
                                                                            const lock& held) noexcept;
  [[nodiscard]] bool doom(process::remote_worker& worker, std::size_t behind_front,
                          process::task_list& victim, process::task_list& unharmed,
                          const lock& held) noexcept;
  void requeue(process::task_list tasks) noexcept;
  void settle(process::task_list tasks, const std::exception_ptr& error) noexcept;
  void settle_one(core_ptr<core> task, const std::exception_ptr& error) noexcept;
  void take_what_runs(process::task_list& running, const lock& held) noexcept;
  void await_end();
  void forget_cancelled(std::int64_t count) noexcept;
  void forget(std::int64_t count) noexcept;

  [[nodiscard]] bool in_forked_child() const noexcept { return posix::fork_generation() != fork_generation_; }
  /// In a callback of a future that this pool completes: to wait for the pool would be to wait for oneself.
  [[nodiscard]] bool in_callback() const noexcept { return completing_here == this; }
  /// The same, or in a task that runs within its submit().
  [[nodiscard]] bool must_not_wait() const noexcept { return in_callback() || bound_.runs_here(); }

  void room_is_made(const lock& held) noexcept;

  // --- a waiter that fetches its answer: attendance.cpp ---
  [[nodiscard]] worker_ptr begin_attendance(const core& task, const void* me) noexcept;
  [[nodiscard]] bool fetch(process::remote_worker& worker, core& task, const void* me) noexcept;
  [[nodiscard]] bool end_attendance(process::remote_worker& worker, const lock& held) noexcept;
  [[nodiscard]] bool note_that_it_is_idle(process::remote_worker& worker, const lock& held) noexcept;
  void collect_attended(process::remote_worker& worker, const core_ptr<core>& task) noexcept;

  // --- the manager's story: manager.cpp, deadlines.cpp, recruiting.cpp, dismissal.cpp and burial.cpp ---
  void manage() noexcept;
  void go_round();
  bool collect(process::remote_worker& worker);
  bool collect_all();
  void note_run_time(double nanoseconds, const lock& held) noexcept;
  bool read_reports();
  bool refill();
  [[nodiscard]] bool something_waits() const noexcept;
  [[nodiscard]] std::size_t pick(std::span<process::outgoing> batch) noexcept;
  void forget_gone_buffers() noexcept;
  bool rebalance();
  [[nodiscard]] bool has_idle_worker(const lock& held) const noexcept;
  [[nodiscard]] bool somebody_is_free(const lock& held) const noexcept;
  [[nodiscard]] static std::size_t first_to_spare(const process::remote_worker& worker, bool idle) noexcept;
  bool relieve_slow_rings();
  void start_workers();
  bool start_worker(std::uint32_t place);
  void no_worker_started(const char* why) noexcept;
  void dismiss_surplus_workers() noexcept;
  void dismiss_idle_workers();
  void dismiss_outgrown_worker(process::remote_worker& worker) noexcept;
  [[nodiscard]] worker_ptr dismiss_surplus_worker(process::task_list& recalled) noexcept;
  [[nodiscard]] worker_ptr dismiss_idle_worker(time_point now) noexcept;
  bool check_deadlines();
  bool expire(process::remote_worker& worker, time_point now);
  bool kill_if_late(process::remote_worker& worker, time_point now);
  void carry_out(process::remote_worker& worker, time_point now);
  bool take_up_retries();
  void condemn(process::remote_worker& worker, const lock& held) noexcept;
  void sweep() noexcept;
  void close_workers_when_done();
  [[nodiscard]] bool finished() const;
  void park();
  [[nodiscard]] std::optional<time_point> next_deadline(const lock& held) const;

  void worker_started(const process::report& message, posix::unique_fd pidfd);
  void worker_died(const process::report& death) noexcept;
  void bury(const worker_ptr& worker, const process::report& death) noexcept;
  /// Whether the task that has cost a worker gets another chance: then it goes to retries_, or else to `at_once`.
  [[nodiscard]] bool try_again(core_ptr<core>& victim, process::task_list& at_once,
                               const lock& held) noexcept;
  [[nodiscard]] bool is_poison(int deaths) const noexcept {
    return options_.max_deaths_per_task != 0 && deaths >= options_.max_deaths_per_task;
  }
  void tell_of_death(process::remote_worker& worker, const process::report& death,
                     const process::last_moments& last, process::task_list lost) noexcept;
  void call_on_worker_death(const worker_death& death) noexcept;
  [[nodiscard]] static bool begins_to_serve(process::remote_worker& worker) noexcept;
  void note_if_serving(process::remote_worker& worker) noexcept;
  void note_that_it_serves(process::remote_worker& worker) noexcept;
  void give_up_if_hopeless(const process::remote_worker& worker, const process::report& death) noexcept;
  void lost_server() noexcept;
  void abandon(const char* why) noexcept;
  /// `why` is called for the rest of the text: it may run out of memory there.
  void break_pool(const char* what, const std::function<std::string()>& why = {}) noexcept;
  [[nodiscard]] worker_ptr find(std::uint32_t id) const;

  // The pool on whose behalf the thread completes futures: always in its manager, otherwise while it settles.
  static thread_local constinit const process_pool_state* completing_here;
  class running_callbacks {
   public:
    explicit running_callbacks(const process_pool_state& pool) noexcept
        : outer_(std::exchange(completing_here, &pool)) {}
    running_callbacks(const running_callbacks&) = delete;
    running_callbacks& operator=(const running_callbacks&) = delete;
    ~running_callbacks() { completing_here = outer_; }

   private:
    const process_pool_state* outer_;
  };

  const process_pool_options options_;
  const std::uint32_t fork_generation_;   // where the manager is, and whose the workers are
  const std::exception_ptr last_resort_;  // what broken_ is when there is no memory to say more
  queue_bound bound_;
  process::slab_cache slabs_{4 * process::slab_bytes};  // for large arguments
  posix::event_fd bell_;  // raised by submitters that need a worker, and by workers that answered

  const std::shared_ptr<process::gone_buffers> gone_buffers_ = std::make_shared<process::gone_buffers>(bell_);

  mutable std::mutex mutex_;  // guards everything down to the counters
  bool open_ = true;
  bool cancelling_ = false;  // shutdown() with cancel_pending: no task may start any more
  ending ending_ = ending::in_order;
  std::exception_ptr broken_;       // set once, by the manager: nothing can be run any more
  process::backlog backlog_;        // accepted, not dispatched
  process::retry_queue retries_;    // started, their worker is dead, to be tried again later
  bool has_priorities_ = false;     // a task had another priority than normal
  std::uint64_t cancels_seen_ = 0;  // pending_cancels(), when the cancelled tasks were taken out last
  static constexpr std::int64_t first_purge = 1024;
  std::int64_t next_purge_ = first_purge;  // size of the backlog at which cancelled tasks are taken out
  std::vector<worker_ptr> workers_;        // changed by the manager only, so it may read without the mutex
  std::condition_variable read_over_;      // an answer that was being read outside of the manager has been
  bool parked_ = false;                    // the manager sleeps, or is about to
  time_point parked_until_{};
  bool starved_ = false;  // no descriptors for a large request: until an answer is collected
  std::atomic<std::uint32_t> collections_{
      0};                           // counts those; read without the mutex, before descriptors are tried for
  std::atomic<int> max_workers_;    // read without the mutex too
  std::size_t wanted_ = 0;          // workers that there should be: grows with demand up to max_workers_
  std::int64_t outstanding_ = 0;    // accepted and not resolved
  double average_nanoseconds_ = 0;  // of a task, moving; 0: unknown
  std::int64_t finished_ = 0;
  std::int64_t failed_ = 0;
  std::int64_t cancelled_ = 0;
  std::int64_t restarts_ = 0;
  std::int64_t retried_ = 0;
  std::int64_t bytes_sent_ = 0;
  std::int64_t bytes_received_ = 0;

  // The manager's own.
  process::server_link link_;
  process::recruitment recruiting_;
  std::uint32_t workers_started_ = 0;  // makes ids that are not used again soon
  bool closing_workers_ = false;
  std::size_t at_once_ = 1;  // tasks that refill() encodes before it places them

  std::mutex join_mutex_;  // guards joining manager_
  std::thread manager_;
  core_ptr<promised<void>> ended_;  // done when the manager has nothing more to do
};

}  // namespace tandem::detail

#endif
