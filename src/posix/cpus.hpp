// How many CPUs this process may use.
//
// Owns reading the affinity mask and the cgroup quotas. Decides nothing about pool sizes.
#ifndef TANDEM_POSIX_CPUS_HPP
#define TANDEM_POSIX_CPUS_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::posix {

/// Returns how many CPUs this process may use: the smaller of affinity_cpus() and cgroup_cpu_limit(), at
/// least 1. Reads a few files, so takes tens of microseconds. Not cached: both may change while the process
/// runs.
[[nodiscard]] int usable_cpus();

/// Returns the number of CPUs in the calling thread's affinity mask (which cpuset cgroups narrow as well);
/// works above 1024 CPUs. At least 1.
[[nodiscard]] int affinity_cpus();

/// Returns the CPU quota of this process's cgroup in CPUs, rounded up and at least 1: the smallest of all
/// levels from its own cgroup up to the root of what is mounted, over cgroup v2 (cpu.max) and v1
/// (cpu.cfs_quota_us / cpu.cfs_period_us). Nothing if there is no quota; files that are missing or not
/// understood count as no quota. `root` is put before every path read ("/proc/self/cgroup",
/// "/proc/self/mountinfo", mount points): tests use it.
[[nodiscard]] std::optional<int> cgroup_cpu_limit(const std::string& root = "");

namespace detail {

/// One line of /proc/self/cgroup: the cgroup that this process is in, in one hierarchy.
struct cgroup_membership {
  std::vector<std::string> controllers;  ///< Empty for cgroup v2.
  std::string path;                      ///< Starts with "/"; relative to the root of the cgroup namespace.
  bool v2 = false;
};

/// One cgroup line of /proc/self/mountinfo.
struct cgroup_mount {
  std::string root;   ///< Which part of the hierarchy is mounted: "/" if all.
  std::string point;  ///< Where.
  std::vector<std::string> controllers;
  bool v2 = false;
};

[[nodiscard]] std::vector<cgroup_membership> parse_cgroup(std::string_view text);
[[nodiscard]] std::vector<cgroup_mount> parse_mountinfo(std::string_view text);

/// Returns the directory of cgroup `path` as seen through `mount`: nothing if that mount does not show it.
[[nodiscard]] std::optional<std::string> directory_of(std::string_view path, const cgroup_mount& mount);

/// Returns ceil(quota / period) from the text of a cpu.max file; nothing for "max" or nonsense.
[[nodiscard]] std::optional<int> parse_cpu_max(std::string_view text);

/// Returns ceil(quota / period); nothing if one is not positive.
[[nodiscard]] std::optional<int> quota_to_cpus(long long quota, long long period);

}  // namespace detail

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_CPUS_HPP
