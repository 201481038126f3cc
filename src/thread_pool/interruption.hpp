// Boost.Thread's interruption of one worker, on behalf of the task that it runs and of no other: not of the next one,
// and not of one that it runs in place of the first. README.md has the protocol.
#ifndef TANDEM_THREAD_POOL_INTERRUPTION_HPP
#define TANDEM_THREAD_POOL_INTERRUPTION_HPP

#include <tandem/detail/core.hpp>

#include <boost/thread/thread.hpp>

#include <atomic>
#include <memory>
#include <mutex>

namespace tandem::detail {

class interruption {
  // What has become of the interruption of a task that has been asked to stop.
  struct memory {
    bool delivered = false;  // the worker has been interrupted for it
    bool unnoticed = false;  // and the task has not noticed; it is taken back
  };

 public:
  // --- by the crew, under its mutex ---
  /// Whom to interrupt.
  void set_thread(std::shared_ptr<boost::thread> thread) noexcept { thread_ = std::move(thread); }
  /// Interrupts the worker if it has claimed `task`, which has been asked to stop.
  void interrupt(const core& task) noexcept;

  // --- by the worker ---
  /// It is about to start `task`. ORDER interrupt: published by try_start().
  void claim(const core& task) noexcept { claimed_.store(&task, std::memory_order_release); }
  /// It was not to be had.
  void withdraw() noexcept { (void)leave(nullptr); }
  /// It is done, and nobody has asked it to stop.
  void release() noexcept { claimed_.store(nullptr, std::memory_order_release); }
  /// It is over for this worker, and somebody may have asked it to stop.
  void task_left(const core& task) noexcept;

  /// While it lives, the worker may run `inner` in place of the task that it is in. Asks that one to be interrupted
  /// again at the end, if that was due in between.
  class detour {
   public:
    detour(interruption& of, core& inner) noexcept;
    detour(const detour&) = delete;
    detour& operator=(const detour&) = delete;
    /// The task to be interrupted now; null if there is none.
    [[nodiscard]] const core* end(bool inner_ran) noexcept;

   private:
    interruption& of_;
    core* const outer_;  // which the worker is in; null: none
    memory before_;      // the outer task's
  };

 private:
  memory leave(const core* next) noexcept;
  bool take_back() noexcept;
  void remember_delivery() noexcept;

  // What the worker runs, or is about to start; null: nothing. Written by the worker.
  std::atomic<const core*> claimed_{nullptr};
  std::shared_ptr<boost::thread> thread_;
  std::mutex mutex_;  // guards what follows; while it is held, the worker does not go on to another task
  bool interrupted_ = false;  // and the request not taken back yet
  bool delivered_ = false;    // the task that is claimed has been interrupted
};

}  // namespace tandem::detail

#endif
