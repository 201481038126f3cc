// Starts and joins the runner tasks of map().
#include <tandem/detail/map_job.hpp>

#include <tandem/detail/completion_queue.hpp>
#include <tandem/detail/imap.hpp>

#include <stdexcept>
#include <string>

namespace tandem::detail {

void map_runners::join() noexcept {
  // A runner comes back only when the inputs are used up (or it never ran), so one that has not started then has
  // nothing to do: it need not wait for its turn behind other tasks.
  if (tasks_.empty()) return;
  {
    completion_queue queue;
    for (std::size_t i = 0; i < tasks_.size(); ++i) queue.watch(*tasks_[i], i);
    while (auto i = queue.pop(std::nullopt)) {
      if (word::phase(tasks_[*i]->load()) == word::value) break;
    }
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

void check_map_options(const map_options& options) {
  check_not_negative("map_options::chunk_size", options.chunk_size);
  check_not_negative("map_options::window", options.window);
}

void throw_imap_timeout(std::size_t yielded) {
  throw timeout_error("tandem: map: the timeout was over after " + std::to_string(yielded) +
                      " results; the next one is not done");
}

void check_not_negative(const char* field, int value) {
  if (value >= 0) return;
  throw std::invalid_argument(std::string("tandem: ") + field + " is " + std::to_string(value) +
                              "; it must be 0 (choose for me) or positive");
}

}  // namespace tandem::detail
