#include "usage_meter.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "cpu_seconds.hpp"

namespace compare {
namespace {

double own_cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return cpu_seconds(used);
}

// All threads of `pid`, in nanoseconds; /proc/<pid>/stat has the same to a hundredth of a second only, too coarse
// for workers that run for less. A process that has ended counts as 0.
double cpu_seconds_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

std::optional<double> peak_bytes_of(const std::string& process) {
  std::ifstream status("/proc/" + process + "/status");
  constexpr const char* field = "VmHWM:";
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == field && status >> kib) return kib * 1024;
  }
  return std::nullopt;
}

// Where the kernel refuses, the peak stays that of the whole life so far: too high, never too low.
void restart_own_peak() { std::ofstream("/proc/self/clear_refs") << "5" << std::flush; }

}  // namespace

usage_meter::usage_meter(const std::vector<pid_t>& workers) {
  malloc_trim(0);
  restart_own_peak();
  for (const pid_t pid : workers) workers_before_[pid] = cpu_seconds_of(pid);
  own_before_ = own_cpu_seconds();
}

usage usage_meter::finish(const std::vector<pid_t>& workers) const {
  usage used{.cpu_seconds = own_cpu_seconds() - own_before_, .peak_bytes = peak_bytes_of("self")};
  for (const pid_t pid : workers) {
    const auto before = workers_before_.find(pid);
    used.cpu_seconds += cpu_seconds_of(pid) - (before == workers_before_.end() ? 0 : before->second);
    if (used.peak_bytes) *used.peak_bytes += peak_bytes_of(std::to_string(pid)).value_or(0);
  }
  return used;
}

machine_meter::machine_meter() : before_(read()) {}

// The first line of /proc/stat: user nice system idle iowait irq softirq steal, and guest times, which user has already.
machine_meter::ticks machine_meter::read() {
  constexpr int fields = 8;
  std::ifstream stat("/proc/stat");
  std::string name;
  stat >> name;
  ticks sum;
  for (int field = 0; field < fields; ++field) {
    double value = 0;
    stat >> value;
    const bool idle = field == 3 || field == 4;
    sum.all += value;
    if (!idle) sum.busy += value;
  }
  return sum;
}

double machine_meter::others(double own_cpu_seconds) const {
  const ticks now = read();
  const double all = now.all - before_.all;
  if (all <= 0) return 0;
  const double own = own_cpu_seconds * static_cast<double>(sysconf(_SC_CLK_TCK));
  return std::clamp((now.busy - before_.busy - own) / all, 0.0, 1.0);
}

}  // namespace compare
