// Tasks whose time is yet to come: submit_after() and submit_at().
#ifndef TANDEM_DETAIL_DELAYED_HPP
#define TANDEM_DETAIL_DELAYED_HPP

#include <tandem/config.hpp>
#include <tandem/detail/core.hpp>
#include <tandem/detail/task_sink.hpp>

namespace tandem::detail {

/// Gives a pending task to `sink` when it is `when`. If it is cancelled before, nothing is left behind. When the sink is
/// shut down first, it is cancelled. @throws what enqueue() throws if the sink is closed; std::system_error if there is
/// no thread to be had for the timer; std::bad_alloc
TANDEM_API void enqueue_at(task_sink& sink, time_point when, core_ptr<core> task);

}  // namespace tandem::detail

#endif
