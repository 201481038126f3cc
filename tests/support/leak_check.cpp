#include "support/leak_check.hpp"

#include <oneapi/tbb/global_control.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <vector>

#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace tandem::test {
namespace {

using clock = std::chrono::steady_clock;

struct belongings {
  std::map<int, std::string> descriptors;
  std::map<int, std::string> threads;
  std::map<int, std::string> processes;
  std::vector<std::string> shared_memory;
};

belongings before;
std::string excuse;
std::chrono::milliseconds patience;

std::map<int, std::string> living_family() {
  std::map<int, std::string> found;
  for (const process_info& process : family(getpid())) {
    // A dead orphan waits for its new parent, which is none of ours; a dead child of ours is a zombie we left.
    if (process.state == 'Z' && process.parent != getpid()) continue;
    found[process.pid] = process.command + (process.state == 'Z' ? " (zombie)" : "");
  }
  return found;
}

std::map<int, std::string> added(const std::map<int, std::string>& old,
                                 const std::map<int, std::string>& now) {
  std::map<int, std::string> more;
  for (const auto& [key, value] : now) {
    if (old.count(key) == 0) more[key] = value;
  }
  return more;
}

int milliseconds_until(clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

// Returns what is still there at the deadline. Sleeps on each process's end, not on the clock.
std::map<int, std::string> wait_for_processes(clock::time_point deadline) {
  for (;;) {
    const auto left = added(before.processes, living_family());
    if (left.empty() || milliseconds_until(deadline) == 0) return left;
    const int pid = left.begin()->first;
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (handle < 0) continue;  // it has vanished meanwhile
    pollfd ended{handle, POLLIN, 0};
    const bool has_ended = poll(&ended, 1, milliseconds_until(deadline)) > 0;
    close(handle);
    // An ended one that still shows is our zombie: no wait will take it away.
    if (has_ended && living_family().count(pid) != 0) return added(before.processes, living_family());
  }
}

std::map<int, std::string> wait_for_threads(clock::time_point deadline) {
  for (;;) {
    const auto left = added(before.threads, threads());
    if (left.empty() || milliseconds_until(deadline) == 0) return left;
    // A joined thread leaves /proc a moment after its join returned, and the kernel announces that to nobody.
    poll(nullptr, 0, 1);
  }
}

void stop_tbb_workers() {
  tbb::task_scheduler_handle handle{tbb::attach{}};
  tbb::finalize(handle, std::nothrow);
}

void print_rows(std::string& text, const char* kind, const std::map<int, std::string>& rows) {
  for (const auto& [key, value] : rows)
    text += std::string(kind) + " " + std::to_string(key) + ": " + value + "\n";
}

}  // namespace

void note_before_test() {
  excuse.clear();
  patience = std::chrono::seconds(5) * slowness();
  before = {descriptors(), threads(), living_family(), shared_memory_names()};
}

std::string left_behind() {
  if (!excuse.empty()) {
    std::fprintf(stderr, "leak check skipped: %s\n", excuse.c_str());
    return "";
  }
  if (threads().size() > before.threads.size()) stop_tbb_workers();
  const auto deadline = clock::now() + patience;
  std::string text;
  const auto processes = wait_for_processes(deadline);
  print_rows(text, "process", processes);
  print_rows(text, "thread", wait_for_threads(deadline));
  print_rows(text, "descriptor", added(before.descriptors, descriptors()));
  if (const auto now = shared_memory_names(); now.size() > before.shared_memory.size()) {
    for (const std::string& name : now) text += "shared memory /dev/shm/" + name + "\n";
  }
  for (const auto& [pid, command] : processes) kill(pid, SIGKILL);
  return text;
}

void set_leak_patience(std::chrono::milliseconds longest) { patience = longest; }

void allow_leaks(const std::string& why) { excuse = why; }

}  // namespace tandem::test
