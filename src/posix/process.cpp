#include "posix/process.hpp"

#include "posix/check.hpp"
#include "posix/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tandem::posix {
namespace {

constexpr std::size_t longest_name = 15;  // TASK_COMM_LEN less the final zero.

/// Cuts `text` to `size` bytes at most, not within a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return text.substr(0, size);
}

/// Returns the value of a line "<key> <number> kB" of /proc/<pid>/status, in bytes.
std::optional<std::size_t> status_kilobytes(pid_t pid, std::string_view key) {
  const std::string id = pid == 0 ? "self" : std::to_string(pid);
  const std::optional<std::string> text = read_text("/proc/" + id + "/status");
  if (!text) return std::nullopt;
  std::size_t at = text->find(key);
  if (at == std::string::npos) return std::nullopt;  // A zombie has no memory and no such line.
  at = text->find_first_of("0123456789", at);
  std::size_t kilobytes = 0;
  if (at == std::string::npos) return std::nullopt;
  std::from_chars(text->data() + at, text->data() + text->size(), kilobytes);
  return kilobytes * 1024;
}

bool send_to(pid_t target, int signal, const char* what) {
  if (::kill(target, signal) == 0) return true;
  if (errno == ESRCH) return false;
  throw_errno(what);
}

}  // namespace

pid_t current_pid() noexcept { return ::getpid(); }

pid_t current_tid() noexcept { return ::gettid(); }

int thread_count() { return static_cast<int>(numbers_in("/proc/self/task").size()); }

bool set_parent_death_signal(int signal, pid_t expected_parent) {
  checked(::prctl(PR_SET_PDEATHSIG, signal), "asking for a signal at the parent's death");
  return ::getppid() == expected_parent;
}

void set_name(std::string_view name) noexcept {
  std::array<char, longest_name + 1> buffer{};
  const std::string_view kept = cut(name, longest_name);
  kept.copy(buffer.data(), kept.size());
  ::prctl(PR_SET_NAME, buffer.data());
}

std::string current_name() {
  std::array<char, longest_name + 1> buffer{};
  ::prctl(PR_GET_NAME, buffer.data());
  return buffer.data();
}

std::string numbered_name(std::string_view prefix, int number) {
  const std::string suffix = "-" + std::to_string(number);  // 12 bytes at most.
  return std::string(cut(prefix, longest_name - suffix.size())) + suffix;
}

bool kill_process(pid_t pid, int signal) {
  if (pid <= 0)
    throw std::invalid_argument("kill_process: pid is " + std::to_string(pid) + ", must be positive");
  return send_to(pid, signal, "kill");
}

bool kill_group(pid_t group, int signal) {
  if (group <= 1)
    throw std::invalid_argument("kill_group: group is " + std::to_string(group) + ", must be above 1");
  return send_to(-group, signal, "killing a process group");
}

bool set_process_group(pid_t pid, pid_t group) {
  if (::setpgid(pid, group) == 0) return true;
  if (errno == ESRCH || errno == EACCES) return false;
  throw_errno("setpgid");
}

pid_t process_group(pid_t pid) noexcept { return ::getpgid(pid); }

void limit_private_memory(std::size_t bytes) {
  rlimit limit{};
  checked(::getrlimit(RLIMIT_DATA, &limit), "reading the memory limit");
  // A lower limit that is set already stays: raising it would be refused.
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, bytes);
  limit.rlim_cur = limit.rlim_max;
  checked(::setrlimit(RLIMIT_DATA, &limit), "limiting memory");
}

void limit_further_memory(std::size_t bytes) {
  const std::size_t has = status_kilobytes(0, "VmData:").value_or(0);  // what RLIMIT_DATA counts
  limit_private_memory(bytes > std::numeric_limits<std::size_t>::max() - has ? bytes : has + bytes);
}

void limit_cpu_time(std::optional<std::chrono::nanoseconds> total) {
  rlimit limit{};
  checked(::getrlimit(RLIMIT_CPU, &limit), "reading the limit of CPU time");
  limit.rlim_cur = limit.rlim_max;
  if (total) {
    const auto seconds = static_cast<rlim_t>(std::chrono::ceil<std::chrono::seconds>(*total).count());
    limit.rlim_cur = std::min(limit.rlim_max, seconds);
  }
  checked(::setrlimit(RLIMIT_CPU, &limit), "limiting CPU time");
}

std::size_t private_resident_memory() {
  const std::optional<std::string> text = read_text("/proc/self/statm");  // pages: size resident shared ...
  if (!text) return 0;
  std::array<std::size_t, 3> pages{};
  const char* next = text->data();
  const char* const end = next + text->size();
  for (std::size_t& number : pages) {
    while (next != end && *next == ' ') ++next;
    next = std::from_chars(next, end, number).ptr;
  }
  return pages[1] > pages[2] ? (pages[1] - pages[2]) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void add_nice(int increment) {
  errno = 0;  // -1 is a nice value, too
  if (::nice(increment) == -1 && errno != 0) throw_errno("nice");
}

void change_directory(const std::string& path) { checked(::chdir(path.c_str()), "chdir"); }

void set_environment(const std::string& name, const std::optional<std::string>& value) {
  checked(value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str()), "setenv");
}

bool set_oom_score_adjustment(int adjustment) noexcept {
  const unique_fd file(
      retry_on_eintr([] { return ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); }));
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), adjustment).ptr;
  return file && ::write(file.get(), text.data(), static_cast<std::size_t>(end - text.data())) > 0;
}

std::string executable_path() {
  std::string path(256, '\0');
  for (;;) {
    const ssize_t size =
        checked(::readlink("/proc/self/exe", path.data(), path.size()), "reading /proc/self/exe");
    if (static_cast<std::size_t>(size) < path.size()) {
      path.resize(static_cast<std::size_t>(size));
      return path;
    }
    path.resize(path.size() * 2);
  }
}

}  // namespace tandem::posix
