#include "posix/reap.hpp"

#include "posix/check.hpp"
#include "posix/signals.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

namespace tandem::posix {
namespace {

std::chrono::nanoseconds to_duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::optional<reaped> wait_with(pid_t pid, int options) {
  reaped result;
  rusage usage{};
  result.pid =
      checked(retry_on_eintr([&] { return ::wait4(pid, &result.status, options, &usage); }), "wait4");
  if (result.pid == 0) return std::nullopt;
  result.peak_rss = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  result.cpu_time = to_duration(usage.ru_utime) + to_duration(usage.ru_stime);
  return result;
}

}  // namespace

bool reaped::exited() const noexcept { return WIFEXITED(status); }

int reaped::exit_code() const noexcept { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

int reaped::signal() const noexcept { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

bool reaped::core_dumped() const noexcept { return WIFSIGNALED(status) && WCOREDUMP(status); }

std::string reaped::describe() const {
  if (signal() != 0) return "was killed by " + signal_name(signal());
  return "exited with code " + std::to_string(exit_code());
}

bool ended_well(pid_t pid) noexcept {
  siginfo_t info{};
  const int result = retry_on_eintr(
      [&] { return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT); });
  return result == 0 && info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 0;
}

std::optional<reaped> try_reap(pid_t pid) { return wait_with(pid, WNOHANG); }

reaped reap(pid_t pid) { return wait_with(pid, 0).value(); }

}  // namespace tandem::posix
