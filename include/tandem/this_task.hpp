// What a task can ask about itself while it runs. Every function may be called on any thread; outside a task they
// give the neutral answer.
#ifndef TANDEM_THIS_TASK_HPP
#define TANDEM_THIS_TASK_HPP

#include <tandem/config.hpp>

#include <stop_token>

namespace tandem {

namespace detail {
class worker_context;
}

/// What a task can ask and say about itself.
namespace this_task {

/// Tells whether somebody asked this task to stop while it ran: by future::cancel(), through
/// task_options::stop_token, or because its task_options::timeout is over; or whether the task_group or the
/// parallel_invoke() or loop of which it calls a function, or one around that, was cancelled or has failed. False outside a task. Does not block; costs
/// a few loads.
[[nodiscard]] TANDEM_API bool stop_requested() noexcept;

/// A token of which stop is requested as soon as stop_requested() would say so: to wait with
/// (std::condition_variable_any), to register a std::stop_callback with (called in the thread that asks, in a worker
/// process in a helper thread), or to hand on. It may outlive the task. The same for every call in one task, but for
/// functions of a task_group, a parallel_invoke() or a loop, which share one of their own; a task's function
/// that cannot be called with its arguments alone gets it as its first parameter. Outside a task a token of which stop
/// cannot be requested. Does not block. Costs an allocation at the first call in a task, some for each task_group,
/// parallel_invoke() and loop around the caller, in a worker process a thread.
/// @throws std::bad_alloc; in a worker process std::system_error if there is no thread to be had
[[nodiscard]] TANDEM_API std::stop_token stop_token();

/// Throws boost::thread_interrupted if stop_requested(). A place where a long task lets itself be ended.
TANDEM_API void interruption_point();

/// Which attempt at the task this is: 1 for the first, 0 outside a task. More than 1 only with task_options::retries.
[[nodiscard]] TANDEM_API int attempt() noexcept;

/// Index of the worker within its pool, from 0; -1 on a thread that is no worker. Spare workers have indices from
/// max_workers() on.
[[nodiscard]] TANDEM_API int worker_index() noexcept;

/// Says "I am about to block" for as long as it lives: a thread_pool brings in a spare worker meanwhile (at most
/// thread_pool_options::max_spare_workers), and so does a tbb_pool (at most 64), so that waiting for IO does not take a
/// worker from other tasks. Elsewhere it does nothing. Create and destroy it on the same thread.
class TANDEM_API blocking_region {
 public:
  /// The block begins: the worker is not counted on any more.
  blocking_region() noexcept;
  blocking_region(const blocking_region&) = delete;
  blocking_region& operator=(const blocking_region&) = delete;
  /// The block is over.
  ~blocking_region();

 private:
  detail::worker_context* worker_;
};

}  // namespace this_task
}  // namespace tandem

#endif
