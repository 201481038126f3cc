// Tasks whose worker has died and that are to be tried again, but not yet. Owns how long they wait; guarded by the
// pool's mutex. They count as started: a cancel finds them here.
#ifndef TANDEM_PROCESS_POOL_RETRY_QUEUE_HPP
#define TANDEM_PROCESS_POOL_RETRY_QUEUE_HPP

#include "process_pool/task_list.hpp"

#include <tandem/detail/core.hpp>
#include <tandem/task_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace tandem::process {

/// How long a task waits that has died `deaths` times, which is at least once: retry_delay, twice that, and so on.
[[nodiscard]] inline std::chrono::nanoseconds retry_delay(const task_options& options, int deaths) noexcept {
  using std::chrono::nanoseconds;
  if (!options.retry_delay.has_value()) return nanoseconds::zero();
  constexpr auto longest = std::chrono::duration_cast<nanoseconds>(time_limit::longest);
  const nanoseconds most = options.max_retry_delay.has_value() ? options.max_retry_delay.value() : longest;
  nanoseconds delay = options.retry_delay.value();
  for (int i = 1; i < deaths && delay < most && delay.count() != 0; ++i) delay *= 2;  // below 2 * longest
  return std::min(delay, most);
}

class retry_queue {
 public:
  /// Takes the task; leaves it with the caller if there is no memory.
  void put(detail::core_ptr<detail::core>& task, detail::time_point due) noexcept {
    try {
      waiting_.reserve(waiting_.size() + 1);
    } catch (const std::bad_alloc&) {
      return;
    }
    const auto later = [](detail::time_point at, const entry& e) { return at < e.due; };
    waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), due, later),
                    entry{due, std::move(task)});
  }

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(waiting_.size()); }
  /// When the next one is due; nothing if there is none.
  [[nodiscard]] std::optional<detail::time_point> next() const noexcept {
    return waiting_.empty() ? std::nullopt : std::optional(waiting_.front().due);
  }

  void take_due(detail::time_point now, task_list& due) noexcept {
    const auto end =
        std::find_if(waiting_.begin(), waiting_.end(), [now](const entry& e) { return now < e.due; });
    for (auto it = waiting_.begin(); it != end; ++it) due.push_back(std::move(it->task));
    waiting_.erase(waiting_.begin(), end);
  }
  void take_all(task_list& all) noexcept { take_due(detail::time_point::max(), all); }
  /// False if it is not here.
  bool take(const detail::core& task, task_list& taken) noexcept {
    const auto it =
        std::find_if(waiting_.begin(), waiting_.end(), [&](const entry& e) { return e.task.get() == &task; });
    if (it == waiting_.end()) return false;
    taken.push_back(std::move(it->task));
    waiting_.erase(it);
    return true;
  }

 private:
  struct entry {
    detail::time_point due;
    detail::core_ptr<detail::core> task;
  };
  std::vector<entry> waiting_;  // the next one first
};

}  // namespace tandem::process

#endif
