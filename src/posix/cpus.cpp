#include "posix/cpus.hpp"

#include "posix/file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <limits>

#include <sched.h>

namespace tandem::posix {
namespace detail {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    if (end != 0) parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

/// Returns the number that `text` starts with, after spaces; nothing if there is none or it overflows.
std::optional<long long> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  long long number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) return std::nullopt;
  return number;
}

/// Undoes the escapes of mountinfo: space, tab, newline and backslash are written as \ooo.
std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](std::size_t k) { return text[i + k] >= '0' && text[i + k] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && octal(1) && octal(2) && octal(3)) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

std::vector<cgroup_membership> parse_cgroup(std::string_view text) {
  std::vector<cgroup_membership> result;
  for (const std::string& line :
       split(text, '\n')) {  // "<hierarchy>:<controllers>:<path, may contain colons>"
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line.size() <= second + 1 || line[second + 1] != '/') continue;
    cgroup_membership entry;
    entry.controllers = split(std::string_view(line).substr(first + 1, second - first - 1), ',');
    entry.path = line.substr(second + 1);
    entry.v2 = line.compare(0, first, "0") == 0 && entry.controllers.empty();
    result.push_back(std::move(entry));
  }
  return result;
}

std::vector<cgroup_mount> parse_mountinfo(std::string_view text) {
  std::vector<cgroup_mount> result;
  for (const std::string& line : split(text, '\n')) {
    // "<id> <parent> <device> <root> <mount point> <options> [<optional>...] - <type> <source> <super
    // options>"
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const std::vector<std::string> before = split(std::string_view(line).substr(0, dash), ' ');
    const std::vector<std::string> after = split(std::string_view(line).substr(dash + 3), ' ');
    if (before.size() < 5 || after.empty() || (after[0] != "cgroup" && after[0] != "cgroup2")) continue;
    cgroup_mount mount;
    mount.root = unescape(before[3]);
    mount.point = unescape(before[4]);
    mount.v2 = after[0] == "cgroup2";
    // The source may be empty, which leaves two fields; the super options are always the last.
    if (!mount.v2) mount.controllers = split(after.back(), ',');
    result.push_back(std::move(mount));
  }
  return result;
}

std::optional<std::string> directory_of(std::string_view path, const cgroup_mount& mount) {
  // ".." : the cgroup, or the mount, lies outside of our cgroup namespace, and its place in the mount is
  // unknown.
  if (path.find("/..") != std::string_view::npos || mount.root.find("/..") != std::string::npos)
    return std::nullopt;
  if (mount.root == "/") return path == "/" ? mount.point : mount.point + std::string(path);
  if (path.substr(0, mount.root.size()) != mount.root) return std::nullopt;
  path.remove_prefix(mount.root.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;  // "/a" is no parent of "/ab".
  return mount.point + std::string(path);
}

std::optional<int> quota_to_cpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return std::nullopt;
  const long long cpus = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<int>(std::min<long long>(cpus, std::numeric_limits<int>::max()));
}

std::optional<int> parse_cpu_max(std::string_view text) {
  const std::vector<std::string> fields = split(text, ' ');
  if (fields.empty()) return std::nullopt;
  const std::optional<long long> quota = leading_number(fields[0]);  // "max" is no number.
  const std::optional<long long> period =
      fields.size() > 1 ? leading_number(fields[1]) : 100'000;  // microseconds
  return quota && period ? quota_to_cpus(*quota, *period) : std::nullopt;
}

}  // namespace detail

namespace {

using detail::cgroup_membership;
using detail::cgroup_mount;

std::optional<int> smaller(std::optional<int> a, std::optional<int> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// Returns the limit that the files of one directory set, which may not exist.
std::optional<int> limit_in(const std::string& directory, bool v2) {
  if (v2) {
    const std::optional<std::string> text = read_text(directory + "/cpu.max");
    return text ? detail::parse_cpu_max(*text) : std::nullopt;
  }
  const std::optional<std::string> quota = read_text(directory + "/cpu.cfs_quota_us");
  const std::optional<std::string> period = read_text(directory + "/cpu.cfs_period_us");
  if (!quota || !period) return std::nullopt;
  return detail::quota_to_cpus(detail::leading_number(*quota).value_or(-1),
                               detail::leading_number(*period).value_or(-1));
}

/// Returns the smallest limit from `directory` upwards to `top`, both included.
std::optional<int> limit_up_to(std::string directory, const std::string& top, bool v2) {
  std::optional<int> limit;
  for (;;) {
    limit = smaller(limit, limit_in(directory, v2));
    if (directory.size() <= top.size()) return limit;
    directory.resize(std::max(directory.rfind('/'), top.size()));
  }
}

bool shows(const cgroup_mount& mount, const cgroup_membership& membership) {
  if (membership.v2 || mount.v2) return membership.v2 && mount.v2;
  const auto has_cpu = [](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), "cpu") != names.end();
  };
  return has_cpu(mount.controllers) && has_cpu(membership.controllers);
}

}  // namespace

std::optional<int> cgroup_cpu_limit(const std::string& root) {
  const std::optional<std::string> memberships = read_text(root + "/proc/self/cgroup");
  const std::optional<std::string> mounts = read_text(root + "/proc/self/mountinfo");
  if (!memberships || !mounts) return std::nullopt;
  std::optional<int> limit;
  const std::vector<cgroup_mount> all_mounts = detail::parse_mountinfo(*mounts);
  for (const cgroup_membership& membership : detail::parse_cgroup(*memberships)) {
    const cgroup_mount* unplaced = nullptr;
    bool placed = false;
    for (const cgroup_mount& mount : all_mounts) {
      if (!shows(mount, membership)) continue;
      if (const std::optional<std::string> directory = detail::directory_of(membership.path, mount)) {
        limit = smaller(limit, limit_up_to(root + *directory, root + mount.point, mount.v2));
        placed = true;
      } else if (unplaced == nullptr) {
        unplaced = &mount;
      }
    }
    // Where no mount tells our place in it, its top is the best guess: container runtimes mount just our
    // cgroup.
    if (!placed && unplaced != nullptr) {
      limit = smaller(limit, limit_in(root + unplaced->point, unplaced->v2));
    }
  }
  return limit;
}

int affinity_cpus() {
  // The kernel refuses (EINVAL) a mask that is shorter than its own; how long that is, it does not tell.
  for (std::size_t words = 16; words <= 65'536; words *= 2) {
    std::vector<unsigned long> mask(words, 0);
    const std::size_t bytes = words * sizeof(unsigned long);
    if (::sched_getaffinity(0, bytes, reinterpret_cast<cpu_set_t*>(mask.data())) == 0) {
      return std::max(1, CPU_COUNT_S(bytes, reinterpret_cast<cpu_set_t*>(mask.data())));
    }
    if (errno != EINVAL) break;
  }
  return 1;
}

int usable_cpus() {
  const int cpus = affinity_cpus();
  return std::min(cpus, cgroup_cpu_limit().value_or(cpus));
}

}  // namespace tandem::posix
