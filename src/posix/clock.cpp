#include "posix/clock.hpp"

namespace tandem::posix {
namespace {

timespec from_nanoseconds(std::chrono::nanoseconds time) noexcept {
  if (time <= std::chrono::nanoseconds::zero()) return {0, 0};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
}

std::optional<std::chrono::nanoseconds> read_clock(clockid_t clock) noexcept {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return std::nullopt;
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

timespec to_timespec(steady_time time) noexcept { return from_nanoseconds(time.time_since_epoch()); }

timespec time_left(steady_time deadline) noexcept {
  const steady_time now = std::chrono::steady_clock::now();
  // Not "deadline - now" unconditionally: a deadline of steady_time::min() would overflow.
  return deadline <= now ? timespec{0, 0} : from_nanoseconds(deadline - now);
}

std::chrono::nanoseconds process_cpu_time() noexcept {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID).value_or(std::chrono::nanoseconds::zero());
}

std::chrono::nanoseconds thread_cpu_time() noexcept {
  return read_clock(CLOCK_THREAD_CPUTIME_ID).value_or(std::chrono::nanoseconds::zero());
}

std::optional<std::chrono::nanoseconds> cpu_time(pid_t pid) noexcept {
  clockid_t clock{};
  if (pid <= 0 || ::clock_getcpuclockid(pid, &clock) != 0) return std::nullopt;
  return read_clock(clock);
}

}  // namespace tandem::posix
