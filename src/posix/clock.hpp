// Deadlines and CPU clocks.
//
// Owns the conversion from std::chrono::steady_clock (CLOCK_MONOTONIC on Linux) to what the kernel takes, and
// the reading of CPU time. Must not sleep.
#ifndef TANDEM_POSIX_CLOCK_HPP
#define TANDEM_POSIX_CLOCK_HPP

#include <chrono>
#include <optional>

#include <sys/types.h>
#include <time.h>

namespace tandem::posix {

/// A point in time that calls with a deadline take: absolute, so that an interrupted wait needs no
/// arithmetic.
using steady_time = std::chrono::steady_clock::time_point;

/// The deadline that never comes.
inline constexpr steady_time no_deadline = steady_time::max();

/// Returns the deadline that lies `timeout` ahead; durations too large for the clock give no_deadline.
template <typename Rep, typename Period>
steady_time deadline_after(std::chrono::duration<Rep, Period> timeout) {
  const steady_time now = std::chrono::steady_clock::now();
  using seconds = std::chrono::duration<double>;
  // Compared as double: the duration may be one whose nanoseconds overflow, such as hours::max().
  if (std::chrono::duration_cast<seconds>(timeout) >=
      std::chrono::duration_cast<seconds>(no_deadline - now)) {
    return no_deadline;
  }
  return now + std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout);
}

/// Converts a deadline to an absolute CLOCK_MONOTONIC time; times before the clock's start become zero.
[[nodiscard]] timespec to_timespec(steady_time time) noexcept;

/// Returns how long it is until `deadline`, as a relative timespec; zero if it has passed.
[[nodiscard]] timespec time_left(steady_time deadline) noexcept;

/// Returns the CPU time (user and system) that all threads of this process have used.
[[nodiscard]] std::chrono::nanoseconds process_cpu_time() noexcept;

/// Returns the CPU time (user and system) that the calling thread has used.
[[nodiscard]] std::chrono::nanoseconds thread_cpu_time() noexcept;

/// Returns the CPU time that process `pid` has used so far, its reaped children not included; nothing if
/// there is no such process.
[[nodiscard]] std::optional<std::chrono::nanoseconds> cpu_time(pid_t pid) noexcept;

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_CLOCK_HPP
