#include "posix/reap.hpp"

#include "posix/check.hpp"
#include "posix/file.hpp"
#include "posix/poll.hpp"
#include "posix/signals.hpp"

#include <cstdlib>
#include <vector>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

/// From /proc, which is there on every kernel; a list of children is not.
std::vector<pid_t> children() {
  const pid_t self = ::getpid();
  std::vector<pid_t> result;
  for (const int pid : numbers_in("/proc")) {
    const std::optional<std::string> stat = read_text("/proc/" + std::to_string(pid) + "/stat");
    if (!stat) continue;
    // "pid (name) state parent ...", and the name may hold anything.
    const std::size_t name_end = stat->rfind(") ");
    if (name_end == std::string::npos || name_end + 4 > stat->size()) continue;
    if (std::atoi(stat->c_str() + name_end + 4) == self) result.push_back(pid);
  }
  return result;
}

}  // namespace

bool reaped::exited() const noexcept { return WIFEXITED(status); }

int reaped::exit_code() const noexcept { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

int reaped::signal() const noexcept { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

bool ended_well(pid_t pid) noexcept {
  siginfo_t info{};
  const int result = retry_on_eintr(
      [&] { return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT); });
  return result == 0 && info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 0;
}

pid_t ended_child() noexcept {
  siginfo_t info{};
  const int result = retry_on_eintr([&] { return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT); });
  return result == 0 ? info.si_pid : 0;
}

void adopt_orphans() noexcept { ::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL); }

void end_children(steady_time deadline) {
  for (;;) {
    while (ended_child() != 0) (void)reap();
    const std::vector<pid_t> all = children();
    if (all.empty()) return;
    for (const pid_t pid : all) ::kill(pid, SIGKILL);
    // One at a time: each end may bring us its children.
    if (!wait_readable(pidfd_open(all.front()).get(), deadline)) return;
  }
}

reaped reap(pid_t pid) { return wait_with(pid, 0).value(); }

}  // namespace tandem::posix
