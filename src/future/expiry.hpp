// task_options::timeout of a task that runs in this process.
#ifndef TANDEM_FUTURE_EXPIRY_HPP
#define TANDEM_FUTURE_EXPIRY_HPP

#include <tandem/detail/core.hpp>

#include "timer/timer.hpp"

#include <chrono>

namespace tandem::detail {

/// Ends the running task with timeout_error if it is still running when `limit` has passed since the construction. Made
/// and destroyed by the thread that runs it. Without memory or a thread for the alarm the task ends at once, with that
/// error.
class expiry {
 public:
  expiry(core& task, std::chrono::nanoseconds limit) noexcept;
  expiry(const expiry&) = delete;
  expiry& operator=(const expiry&) = delete;
  ~expiry() { (void)timer::stop(alarm_); }

 private:
  timer::handle alarm_;
};

}  // namespace tandem::detail

#endif
