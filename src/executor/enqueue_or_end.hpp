// How a task comes to its pool when its time has come.
#ifndef TANDEM_EXECUTOR_ENQUEUE_OR_END_HPP
#define TANDEM_EXECUTOR_ENQUEUE_OR_END_HPP

#include <tandem/detail/core.hpp>
#include <tandem/detail/task_sink.hpp>

namespace tandem::detail {

/// Gives a pending task to `sink`, from a thread to which nobody listens: if the sink does not take it, the task ends
/// with the error, or cancelled if the sink is closed.
void enqueue_or_end(task_sink& sink, const core_ptr<core>& task) noexcept;

}  // namespace tandem::detail

#endif
