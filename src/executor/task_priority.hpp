// The priority that a task was submitted with.
#ifndef TANDEM_EXECUTOR_TASK_PRIORITY_HPP
#define TANDEM_EXECUTOR_TASK_PRIORITY_HPP

#include <tandem/detail/core.hpp>
#include <tandem/task_options.hpp>

namespace tandem::detail {

[[nodiscard]] inline priority priority_of(const core& task) noexcept {
  const task_options* options = task.options();
  return options == nullptr ? priority::normal : options->priority;
}

}  // namespace tandem::detail

#endif
