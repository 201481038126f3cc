// wait(): blocks on many futures at once, of any executors.
#ifndef TANDEM_WAIT_HPP
#define TANDEM_WAIT_HPP

#include <tandem/detail/completion_queue.hpp>
#include <tandem/detail/future_range.hpp>
#include <tandem/future.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tandem {

/// When wait() returns. Finished and cancelled futures are done; only an exception counts as failed.
enum class return_when : std::uint8_t { first_completed, first_exception, all_completed };

/// Positions in the range that was given to wait(), ascending.
struct wait_result {
  /// Of those that have a value, an exception, or are cancelled.
  std::vector<std::size_t> done;
  /// Of all others.
  std::vector<std::size_t> not_done;
};

/// Waits for the futures of `range`.
///
/// @param range  any forward range of futures or shared_futures, or of things from which `projection` gets one
/// @param when   what to wait for; see return_when
/// @param timeout  how long to wait at most, any std::chrono::duration; without one: for ever
/// @param projection  a member pointer or function from an element to its future
/// @return the positions of the elements that are done and that are not; when two elements share one state, only
///   the first one is told. A timeout is no error: what is not done stands in not_done.
/// @throws invalid_state_error if an element has no state
///
/// An empty range returns at once. Takes nothing from the futures and leaves nothing in them. O(1) per completion.
/// On a worker of the futures' own pool it cannot deadlock: to wait for all, it runs tasks that have not started; to
/// wait for the first one it does so only where no other worker could (a thread_pool brings in a spare), for any of
/// them may be the one that takes long. With a timeout it runs none.
template <class Range, class Projection = std::identity>
  requires detail::future_range<Range, Projection> wait_result
  wait(Range&& range, return_when when = return_when::all_completed, time_limit timeout = {},
       Projection projection = {}) {
    const auto deadline = timeout.deadline();
    std::vector<std::pair<detail::core*, std::size_t>> tasks;
    detail::first_time first_time;
    std::size_t position = 0;
    for (auto&& element : range) {
      detail::core& task = detail::core_of(std::invoke(projection, element), "wait");
      if (first_time(task)) tasks.emplace_back(&task, position);
      ++position;
    }
    const auto satisfies = [when](const detail::core& task) {
      return when == return_when::first_completed ||
             (when == return_when::first_exception &&
              detail::word::phase(task.load()) == detail::word::failed);
    };
    bool satisfied = tasks.empty();
    for (const auto& [task, at] : tasks) satisfied = satisfied || (task->done() && satisfies(*task));
    if (!satisfied) {
      detail::completion_queue queue;
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        // Asked once more: what has become done since, and is what we wait for, must not be passed over.
        if (!tasks[i].first->done() || satisfies(*tasks[i].first)) queue.watch(*tasks[i].first, i);
      }
      const auto helping =
          when == return_when::all_completed ? detail::helping::freely : detail::helping::if_stuck;
      while (auto i = queue.pop(deadline, helping)) {
        if (satisfies(*tasks[*i].first)) break;
      }
    }
    wait_result result;
    for (const auto& [task, at] : tasks) (task->done() ? result.done : result.not_done).push_back(at);
    return result;
  }

}  // namespace tandem

#endif
