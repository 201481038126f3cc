// What a thread knows of the worker it is and the task it runs: two thread-local pointers, set by backends, read
// by waiting futures and by this_task. Owns nothing.
#ifndef TANDEM_DETAIL_CONTEXT_HPP
#define TANDEM_DETAIL_CONTEXT_HPP

#include <tandem/config.hpp>
#include <tandem/detail/core.hpp>

#include <atomic>
#include <cstdint>
#include <stop_token>

namespace tandem::detail {

/// A worker thread, as seen by a future that is about to block on it. Called on the worker's own thread only.
class worker_context {
 public:
  /// Starts the task and runs it here, if it belongs to this worker's pool and nobody has started it. False: nothing
  /// has happened.
  [[nodiscard]] virtual bool try_run(core& task) noexcept = 0;
  /// The task, which ran here, is over for this worker, though its function's frames may still be there; somebody may
  /// have asked it to stop.
  virtual void task_left([[maybe_unused]] const core& task) noexcept {}
  /// Tells whether another worker could run the pool's tasks while this one is blocked: one that is idle, or a spare.
  [[nodiscard]] virtual bool can_be_stood_in_for() const noexcept = 0;
  /// The worker is about to block: the pool may bring in a spare.
  virtual void begin_blocking() noexcept = 0;
  virtual void end_blocking() noexcept = 0;
  /// 0 .. max_workers - 1; a spare has an index beyond.
  [[nodiscard]] virtual int index() const noexcept = 0;

 protected:
  ~worker_context() = default;
};

/// What a worker has counted. Written by the worker's own thread only (so no read-modify-write), read by stats() and by
/// whoever wants to know whether the worker is about to be free.
struct task_ledger {
  std::atomic<std::int64_t> started{0};
  std::atomic<std::int64_t> finished{
      0};  // counted before the future is ready: who has seen the result sees the count
  std::atomic<std::int64_t> failed{0};  // of those that finished
  // Set before the future is ready, if the worker knows of no other work: who has seen the result finds the worker
  // free, though it is still on its way to say so. Cleared by the worker.
  std::atomic<bool> finishing{false};
  bool last_known = false;  // the worker's own: whether to set `finishing`
};

/// Counts in a ledger: by its owner only.
inline void add_one(std::atomic<std::int64_t>& count) noexcept {
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// The task that a thread is running.
struct task_context {
  /// For a task that is no core of this process.
  class token_source {
   public:
    virtual std::stop_token stop_token() = 0;

   protected:
    ~token_source() = default;
  };

  const TANDEM_ATOMIC<std::uint32_t>* stop_word = nullptr;  // set bits of stop_mask: asked to stop
  std::uint32_t stop_mask = 0;
  core* task = nullptr;  // null in a worker process
  int attempt = 1;
  task_ledger* ledger = nullptr;   // null: nobody counts
  token_source* tokens = nullptr;  // where there is no task
};

/// Null on a thread that is no worker.
TANDEM_API worker_context* current_worker() noexcept;
TANDEM_API void set_current_worker(worker_context* worker) noexcept;

/// Null outside tasks.
TANDEM_API extern thread_local constinit const task_context* current_task_of_this_thread;
TANDEM_API const task_context* current_task() noexcept;
/// The token of a task; one of which stop cannot be requested for null. Throws as this_task::stop_token().
std::stop_token stop_token_of(const task_context* task);
/// Returns what was set before, to be set again when the (nested) task ends.
TANDEM_API const task_context* exchange_current_task(const task_context* task) noexcept;

/// While it lives, the thread is not in `task` any more, though that is not done: for a task that goes on elsewhere.
class TANDEM_API task_leaver {
 public:
  explicit task_leaver(const core& task) noexcept;
  task_leaver(const task_leaver&) = delete;
  task_leaver& operator=(const task_leaver&) = delete;
  ~task_leaver();

 private:
  const task_context* context_;
};

/// Runs a task that the caller has started, with this_task answering for it and within its time limit, and counts it in
/// the ledger.
TANDEM_API void execute_in_context(core& task, task_ledger* ledger = nullptr) noexcept;

}  // namespace tandem::detail

#endif
