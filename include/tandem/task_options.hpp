// What a caller can say about one task, one map, one shutdown; and time_limit, the type of every timeout field.
#ifndef TANDEM_TASK_OPTIONS_HPP
#define TANDEM_TASK_OPTIONS_HPP

#include <tandem/config.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

namespace tandem {

/// A length of time that may be absent ("no limit"). Converts from every std::chrono::duration; one that is too long
/// to count in nanoseconds means no limit.
class time_limit {
 public:
  /// From here on a length counts as no limit: longer ones could not be added to a clock's time.
  static constexpr std::chrono::duration<double> longest = std::chrono::hours(24 * 365 * 100);

  /// No limit.
  constexpr time_limit() noexcept = default;

  /// `d` from now. Zero and negative ones have passed already.
  template <class Rep, class Period>
  constexpr time_limit(std::chrono::duration<Rep, Period> d) {  // NOLINT: `.timeout = 2s` is the point
    if (d <= d.zero()) {
      length_ = std::chrono::nanoseconds::zero();
    } else if (std::chrono::duration<double>(d) < longest) {
      length_ = std::chrono::ceil<std::chrono::nanoseconds>(d);
    }
  }

  /// Tells whether there is a limit.
  [[nodiscard]] constexpr bool has_value() const noexcept { return length_.has_value(); }
  /// The limit; only if has_value().
  [[nodiscard]] constexpr std::chrono::nanoseconds value() const { return length_.value(); }
  /// The moment that lies this long from now; nothing if there is no limit.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const {
    if (!length_) return std::nullopt;
    return std::chrono::steady_clock::now() + *length_;
  }

 private:
  std::optional<std::chrono::nanoseconds> length_;
};

/// How urgent a task is, compared with the others that wait in the same pool.
enum class priority : unsigned char { high, normal, low };

/// First argument of submit() and post(). A backend that cannot honour a field that is set throws
/// std::invalid_argument that names the field; docs/backends.md has the table.
struct task_options {
  /// Told in diagnostics and in stats().
  std::string name{};
  /// Before or after other waiting tasks; none waits for ever behind more urgent ones (docs/priorities.md).
  tandem::priority priority = tandem::priority::normal;
  /// How long the task may run; afterwards its future gets timeout_error. process_pool kills the worker.
  time_limit timeout{};
  /// How often the task is tried again when its worker dies; 0: never. process_pool only.
  int retries = 0;
  /// How long to wait before it is tried again, the first time; each further time twice as long. None: not at all.
  /// process_pool only.
  time_limit retry_delay{};
  /// The most that retry_delay grows to. None: it grows on. process_pool only.
  time_limit max_retry_delay{};
  /// Cancels the task when stop is requested, as future::cancel() does: one source may cancel any number of tasks.
  std::stop_token stop_token{};
  /// How long submit() may wait for room in a bounded queue (when_full::block); afterwards it throws queue_full_error.
  /// Zero: not at all. Without effect where submit() does not wait.
  time_limit submit_timeout{};
};

/// First argument of map(), starmap(), imap() and imap_unordered().
struct map_options {
  /// Items per task; 0: chosen from the measured cost of an item.
  int chunk_size = 0;
  /// imap*: how many inputs may be taken ahead of the reader; 0: a small multiple of the workers' chunks. A window that is
  /// not larger than chunk_size is one task: nothing runs while its results are read.
  int window = 0;
  /// From the call until the last result: afterwards timeout_error.
  time_limit timeout{};
};

/// Argument of shutdown().
struct shutdown_options {
  /// Return only when every accepted task is resolved and the workers are gone.
  bool wait = true;
  /// Cancel tasks that have not started; otherwise they still run.
  bool cancel_pending = false;
};

/// What submit() and post() do when the queue is full: as many tasks wait as queue_capacity says, and no worker is free.
enum class when_full : unsigned char {
  /// Waits for room, at most for task_options::submit_timeout. Throws shutdown_error if the pool is shut down meanwhile.
  /// Never waits on a worker of the same pool, nor in a callback of a future: there the task is accepted beyond the
  /// bound, for the one that waits may be the one that makes room.
  block,
  /// Throws queue_full_error.
  reject,
  /// Runs the task in the thread that submits it, before submit() returns; of a process_pool, too, in this process.
  run_in_caller
};

}  // namespace tandem

#endif
