// The name of the task that a worker is running, for stats(). Refers to the task's own options: copies nothing.
#ifndef TANDEM_EXECUTOR_RUNNING_NAME_HPP
#define TANDEM_EXECUTOR_RUNNING_NAME_HPP

#include <tandem/detail/core.hpp>
#include <tandem/task_options.hpp>

#include <mutex>
#include <string>
#include <utility>

namespace tandem::detail {

class running_name {
 public:
  /// Calls `run`, which runs `task`, and tells its name meanwhile. By the worker; tasks may be nested.
  template <class Run>
  void during(const core& task, Run run) noexcept {
    const task_options* options = task.options();
    if (options == nullptr || options->name.empty()) return run();
    const std::string* outer = exchange(&options->name);
    run();
    exchange(outer);
  }

  /// Empty if no named task runs. By anybody.
  [[nodiscard]] std::string get() const {
    const std::lock_guard lock(mutex_);
    return name_ == nullptr ? std::string() : *name_;
  }

 private:
  const std::string* exchange(const std::string* name) noexcept {
    const std::lock_guard lock(mutex_);
    return std::exchange(name_, name);
  }

  mutable std::mutex mutex_;  // guards name_ and keeps what it points to from going
  const std::string* name_ = nullptr;
};

}  // namespace tandem::detail

#endif
