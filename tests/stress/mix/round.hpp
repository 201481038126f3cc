// One round of the mix: the pool that its seed makes, and what all threads of the round know about it.
#ifndef TANDEM_TESTS_STRESS_MIX_ROUND_HPP
#define TANDEM_TESTS_STRESS_MIX_ROUND_HPP

#include <tandem/future.hpp>
#include <tandem/task_options.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stress/mix/tasks.hpp"

namespace tandem::mix {

/// A number from 0 to below - 1.
inline int roll(std::mt19937& random, int below) {
  return static_cast<int>(random() % static_cast<unsigned>(below));
}

/// How a future may end. One that may end with `fails` has no value ever.
enum outcome : unsigned {
  value = 1U << 0U,
  fails = 1U << 1U,        // with out_of_range
  cancelled = 1U << 2U,    // by its future, its stop source or the end of the pool
  refused = 1U << 3U,      // a later step of it came when the pool was shut down already
  dies = 1U << 4U,         // together with its worker
  late = 1U << 5U,         // its time limit was over
  full = 1U << 6U,         // a later step of it found the queue full
  interrupted = 1U << 7U,  // by its own stop request
};

struct round {
  explicit round(std::mt19937& random, int most_workers);

  /// What it is like, for the messages.
  [[nodiscard]] std::string describe() const;
  /// What the pool is made with. The round must outlive the pool.
  [[nodiscard]] auto options();

  const bool racing;           // the pool is shut down while the threads are at work
  const bool cancels_pending;  // by the shutdown: any task may be cancelled then
  const int max_workers;
  const int queue_capacity;
  const tandem::when_full when_full;
  const bool has_hooks;
  const int idle_microseconds;     // 0: no idle_timeout
  const bool kill_on_cancel;       // process_pool
  const int max_tasks_per_worker;  // process_pool

  [[nodiscard]] bool is_bounded() const { return queue_capacity != 0; }
  [[nodiscard]] bool rejects() const { return is_bounded() && when_full == tandem::when_full::reject; }
  [[nodiscard]] bool runs_in_caller() const {
    return is_bounded() && when_full == tandem::when_full::run_in_caller;
  }

  /// Set before the pool is shut down: what is cancelled or refused by that finds it set.
  std::atomic<bool> over{false};
  std::atomic<int> failing_posts{0};
  std::atomic<int> reported{0};
  std::atomic<int> set_up{0};  // workers that ran the initializer
  std::atomic<int> cleaned_up{0};

  std::mutex mutex;  // guards what follows
  std::vector<std::pair<shared_future<payload>, int>> shared;
};

inline round::round(std::mt19937& random, int most_workers)
    : racing(roll(random, 2) == 0),
      cancels_pending(roll(random, 3) == 0),
      max_workers(1 + roll(random, most_workers)),
      queue_capacity(roll(random, 2) == 0 ? 0 : 1 + roll(random, 8)),
      when_full(static_cast<tandem::when_full>(roll(random, 3))),
      has_hooks(roll(random, 3) == 0),
      idle_microseconds(roll(random, 3) == 0 ? 1 + roll(random, 500) : 0),
      kill_on_cancel(roll(random, 2) == 0),
      max_tasks_per_worker(roll(random, 4) == 0 ? 1 + roll(random, 20) : 0) {}

inline std::string round::describe() const {
  static constexpr const char* policies[] = {"block", "reject", "run_in_caller"};
  std::string text = std::to_string(max_workers) + " workers";
  if (is_bounded()) {
    text += ", queue_capacity " + std::to_string(queue_capacity) + ", " +
            policies[static_cast<std::size_t>(when_full)];
  }
  if (has_hooks) text += ", hooks";
  if (idle_microseconds != 0) text += ", idle_timeout " + std::to_string(idle_microseconds) + " us";
  if (kill_on_cancel) text += ", kill_on_cancel";
  if (max_tasks_per_worker != 0) text += ", max_tasks_per_worker " + std::to_string(max_tasks_per_worker);
  if (racing) text += ", racing";
  if (cancels_pending) text += ", cancel_pending";
  return text;
}

inline auto round::options() {
  const time_limit idle =
      idle_microseconds == 0 ? time_limit() : time_limit(std::chrono::microseconds(idle_microseconds));
  const auto report = [this](const std::exception_ptr&, std::string_view) { ++reported; };
  if constexpr (in_process) {
    std::function<void()> begin;
    std::function<void()> end;
    if (has_hooks) {
      begin = [this] { ++set_up; };
      end = [this] { ++cleaned_up; };
    }
    if constexpr (can_be_resized) {
      return thread_pool_options{.max_workers = max_workers,
                                 .initializer = begin,
                                 .finalizer = end,
                                 .queue_capacity = queue_capacity,
                                 .when_full = when_full,
                                 .idle_timeout = idle,
                                 .error_handler = report};
    } else {
      return tbb_pool_options{.max_workers = max_workers,
                              .initializer = begin,
                              .finalizer = end,
                              .queue_capacity = queue_capacity,
                              .when_full = when_full,
                              .error_handler = report};
    }
  } else {
    return process_pool_options{.max_workers = max_workers,
                                .queue_capacity = queue_capacity,
                                .when_full = when_full,
                                .max_tasks_per_worker = max_tasks_per_worker,
                                .kill_on_cancel = kill_on_cancel,
                                .idle_timeout = idle,
                                .error_handler = report};
  }
}

}  // namespace tandem::mix

#endif
