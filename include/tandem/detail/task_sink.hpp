// Where tasks go: the little that map, imap and submit need to know of an executor.
#ifndef TANDEM_DETAIL_TASK_SINK_HPP
#define TANDEM_DETAIL_TASK_SINK_HPP

#include <tandem/config.hpp>
#include <tandem/detail/core.hpp>

#include <span>
#include <utility>

namespace tandem::detail {

class TANDEM_API task_sink {
 public:
  task_sink() = default;
  task_sink(const task_sink&) = delete;
  task_sink& operator=(const task_sink&) = delete;

  /// How many tasks can run at the same time.
  [[nodiscard]] virtual int max_workers() const noexcept = 0;

  /// For writers of backends: accepts a pending task, and sees to it that it becomes done whatever happens. Throws
  /// shutdown_error, broken_pool_error or queue_full_error if it does not accept it. Called from any thread.
  virtual void enqueue(core_ptr<core> task) = 0;

  /// As enqueue(), for a caller who does not own the executor: its owner may destroy it as soon as the task is done,
  /// which may be before this returns.
  virtual void enqueue_from_elsewhere(core_ptr<core> task) { enqueue(std::move(task)); }

  /// As enqueue(), for a task of a map, which has only a few of them at a time: a bounded backend does not throw
  /// queue_full_error.
  virtual void enqueue_chunk(core_ptr<core> task) { enqueue(std::move(task)); }

  /// enqueue() for each of them. When this throws, some may have been accepted.
  virtual void enqueue_all(std::span<core_ptr<core>> tasks) {
    for (core_ptr<core>& task : tasks) enqueue(std::move(task));
  }

  /// For writers of backends: what enqueue() sets as core::owner() of its tasks.
  [[nodiscard]] virtual const void* owner() const noexcept { return this; }

  /// For writers of backends: false from the beginning of shutdown() on, which then calls cancel_delayed(owner()), and
  /// stop_delayed(owner()) behind all other waiting; the destructor calls stop_delayed(owner()) in any case. When it is
  /// false, enqueue() runs nothing any more.
  [[nodiscard]] virtual bool is_open() const noexcept { return true; }

  /// For writers of backends: tells whether tasks run in this process, by core::execute(). Otherwise they run by
  /// core::remote().
  [[nodiscard]] virtual bool in_process() const noexcept { return true; }

 protected:
  virtual ~task_sink();
};

/// For writers of backends: cancels what submit_after(), submit_at() and submit_every() have set for the sink of that
/// owner() and whose time has not come.
TANDEM_API void cancel_delayed(const void* owner) noexcept;
/// The same; also waits for one that is just being enqueued, and for callbacks of a task whose time limit is over, so that
/// the executor may go.
TANDEM_API void stop_delayed(const void* owner) noexcept;

}  // namespace tandem::detail

#endif
