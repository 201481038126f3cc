// Tasks that were run in a task_group from elsewhere than its home: ordinary ones, with futures.
#ifndef TANDEM_DETAIL_SUBMITTED_TASKS_HPP
#define TANDEM_DETAIL_SUBMITTED_TASKS_HPP

#include <tandem/config.hpp>
#include <tandem/future.hpp>

#include <exception>
#include <list>
#include <mutex>
#include <stop_token>

namespace tandem::detail {

/// Thread-safe, but that one thread waits at a time.
class TANDEM_API submitted_tasks {
 public:
  struct outcome {
    int count = 0;                // tasks there were
    std::exception_ptr left_out;  // of the first one that somebody else has cancelled, if there is one
    std::exception_ptr error;     // why another one has not run, if there is one
  };

  /// For a task to be linked to: cancel() cancels it. Throws std::bad_alloc.
  [[nodiscard]] std::stop_token token();
  /// Takes over the one future of a list, of a task with that token. Forgets some that have run; and this one, if it was cancelled
  /// with others for which somebody has waited meanwhile.
  void add(std::list<future<void>>& one, const std::stop_token& linked_to) noexcept;
  /// Waits for all, also for those that come meanwhile; a worker of their pool runs in place what has not begun. They are
  /// forgotten, and so is that they were cancelled.
  [[nodiscard]] outcome wait() noexcept;
  /// Those that have not begun will not run, others are asked to stop.
  void cancel() noexcept;

 private:
  std::mutex mutex_;               // guards all; nothing of the user's is called under it
  std::list<future<void>> tasks_;  // oldest first
  bool waits_ = false;             // somebody goes through the list: nobody else takes anything out
  std::stop_source source_{std::nostopstate};  // until it has been used
};

}  // namespace tandem::detail

#endif
