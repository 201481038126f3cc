// Starts and joins the runner tasks of map().
#include <tandem/detail/map_job.hpp>

#include <tandem/detail/completion_queue.hpp>

#include <new>

namespace tandem::detail {

void map_runners::join() noexcept {
  // A runner comes back only when the inputs are used up (or it never ran), so one that has not started then has
  // nothing to do: it need not wait for its turn behind other tasks.
  if (tasks_.empty()) return;
  try {
    completion_queue queue;
    for (std::size_t i = 0; i < tasks_.size(); ++i) queue.watch(*tasks_[i], i);
    while (auto i = queue.pop(std::nullopt, helping::freely)) {
      if (word::phase(tasks_[*i]->load()) == word::value) break;
    }
  } catch (const std::bad_alloc&) {
    // Without a queue we wait for each one's turn.
    for (const auto& task : tasks_) task->wait();
    return;
  }
  for (const auto& task : tasks_) {
    if (!task->cancel_pending()) task->wait();
  }
}

void map_runners::rethrow_if_none_ran() const {
  const core* last = nullptr;
  for (const auto& task : tasks_) {
    if (word::phase(task->load()) == word::value) return;
    last = task.get();
  }
  if (last != nullptr) throw_if_failed(*last);
}

}  // namespace tandem::detail
