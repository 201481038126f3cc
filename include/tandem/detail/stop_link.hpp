// task_options::stop_token: cancels a task when stop is requested.
#ifndef TANDEM_DETAIL_STOP_LINK_HPP
#define TANDEM_DETAIL_STOP_LINK_HPP

#include <tandem/config.hpp>
#include <tandem/detail/core.hpp>

#include <stop_token>

namespace tandem::detail {

/// From now on until `task` is done, a stop request cancels it; at once if stop has been requested. The task must not
/// have been given to an executor yet. Leaves nothing behind in the stop state when the task is done.
TANDEM_API void link_stop(core& task, std::stop_token token);

}  // namespace tandem::detail

#endif
