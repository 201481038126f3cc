// What a process pool takes while it has nothing to do: this process, the fork server, the workers.
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/workloads.hpp"
#include "process_pools/python.hpp"
#include "process_pools/warm_up.hpp"

namespace {

namespace files = std::filesystem;

// All that run this program in this session: also the tandem-bench that waits for this one, which takes nothing.
std::vector<pid_t> processes_of_this_program() {
  const files::path program = files::read_symlink("/proc/self/exe");
  std::vector<pid_t> found;
  for (const auto& entry : files::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    std::error_code not_ours;
    if (pid > 0 && files::read_symlink(entry.path() / "exe", not_ours) == program && getsid(pid) == getsid(0))
      found.push_back(pid);
  }
  return found;
}

double cpu_milliseconds(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const pid_t pid : processes) {
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
      throw std::runtime_error("a process has ended");
    sum += static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  }
  return sum;
}

bench::figures run_tandem(const bench::conditions& c) {
  tandem::process_pool pool({.max_workers = c.workers});
  process_pools::warm_up(pool, c.workers);
  std::this_thread::sleep_for(
      std::chrono::milliseconds(200));  // for those that look a while before they sleep
  const std::vector<pid_t> processes = processes_of_this_program();
  // At least: this one, the server, the workers.
  if (processes.size() < static_cast<std::size_t>(c.workers) + 2)
    throw std::runtime_error("a process is missing");
  const double before = cpu_milliseconds(processes);
  std::this_thread::sleep_for(std::chrono::seconds(c.pick(10, 1)));
  return {cpu_milliseconds(processes) - before};
}

}  // namespace

bench::workload bench::process_idle(const conditions& c) {
  using enum process_pools::python_library;
  workload work{
      .name = "process_idle",
      .title = "what all processes of a pool take in 10 s in which it has nothing to do, after it has worked",
      .metrics = {{"CPU time", "ms", 0.01}},
      .contestants = {{"tandem", [c] { return run_tandem(c); }}},
      .reference = "tandem",
      .rounds = 3};
  process_pools::add_python(work, c, {executor, pool, joblib, mpi4py});
  return work;
}
