// Checking a pool's options. Whether the pool can be made at all is looked at in pool_state.cpp.
#include "process_pool/options.hpp"

#include "posix/affinity.hpp"
#include "posix/cpus.hpp"

#include "process_pool/protocol.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace tandem::process {

namespace {

[[noreturn]] void refuse(const char* field, const std::string& value, const char* why) {
  throw std::invalid_argument(std::string("tandem: process_pool_options::") + field + " is " + value + "; " +
                              why);
}

void check_within(const char* field, int value, int least, int most, const char* why) {
  if (value < least || value > most) refuse(field, std::to_string(value), why);
}

void check_positive(const char* field, const time_limit& limit, const char* why) {
  if (limit.has_value() && limit.value().count() <= 0) refuse(field, "0 or negative", why);
}

void check_affinity(std::vector<int>& affinity) {
  for (const int cpu : affinity) {
    if (!posix::cpu_exists(cpu))
      refuse("affinity", std::to_string(cpu), "this machine has no CPU of that number");
  }
  std::sort(affinity.begin(), affinity.end());
  affinity.erase(std::unique(affinity.begin(), affinity.end()), affinity.end());
}

void check_environment(const std::map<std::string, std::optional<std::string>>& environment) {
  const std::string nul(1, '\0');
  for (const auto& [name, value] : environment) {
    if (name.empty() || name.find('=') != std::string::npos || name.find(nul) != std::string::npos)
      refuse("environment", "for \"" + name + "\"",
             "a name must not be empty nor have '=' or a zero byte in it");
    if (value && value->find(nul) != std::string::npos)
      refuse("environment", "for \"" + name + "\" a text with a zero byte", "it would be cut there");
  }
}

void check_directory(std::string& directory) {
  if (directory.empty()) return;
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error))
    refuse("working_directory", "\"" + directory + "\"", "there is no such directory");
  directory = std::filesystem::absolute(directory).string();
}

}  // namespace

void check_below_limit(const char* what, int workers) {
  if (static_cast<std::uint32_t>(workers) >= max_places) {
    throw std::invalid_argument(std::string("tandem: ") + what + " is " + std::to_string(workers) +
                                "; it must be below 65536");
  }
}

process_pool_options checked(process_pool_options options) {
  detail::check_not_negative("process_pool_options::max_workers", options.max_workers);
  detail::check_not_negative("process_pool_options::queue_capacity", options.queue_capacity);
  detail::check_not_negative("process_pool_options::max_tasks_per_worker", options.max_tasks_per_worker);
  detail::check_not_negative("process_pool_options::max_deaths_per_task", options.max_deaths_per_task);
  check_below_limit("process_pool_options::max_workers", options.max_workers);
  check_positive(
      "idle_timeout", options.idle_timeout,
      "a worker would be started for almost every task; it must be positive, or left out for no limit");
  check_positive("start_timeout", options.start_timeout,
                 "no worker could be started; it must be positive, or left out for no limit");
  check_positive("cpu_time_limit", options.cpu_time_limit,
                 "no task could run; it must be positive, or left out for no limit");
  check_within("nice", options.nice, -20, 19, "it must be from -20 to 19");
  check_within("oom_score_adj", options.oom_score_adj, -1000, 1000, "it must be from -1000 to 1000");
  if (options.when_out_of_memory == when_out_of_memory::kill && options.memory_limit == 0)
    refuse("when_out_of_memory", "kill", "but there is no memory_limit to be reached");
  check_affinity(options.affinity);
  check_environment(options.environment);
  check_directory(options.working_directory);
  return options;
}

int default_workers(const process_pool_options& options) {
  const int cpus = posix::usable_cpus();
  return options.affinity.empty() ? cpus : std::min(cpus, static_cast<int>(options.affinity.size()));
}

conditions conditions_in(const process_pool_options& options) {
  conditions all;
  all.memory_limit = options.memory_limit;
  all.die_of_memory = options.when_out_of_memory == when_out_of_memory::kill;
  all.most_resident = options.max_memory_per_worker;
  if (options.cpu_time_limit.has_value()) all.cpu_nanoseconds = options.cpu_time_limit.value().count();
  all.nice = options.nice;
  all.oom_score_adj = options.oom_score_adj;
  all.affinity = options.affinity;
  all.environment = options.environment;
  all.working_directory = options.working_directory;
  return all;
}

}  // namespace tandem::process
