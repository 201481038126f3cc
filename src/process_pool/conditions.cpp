// A worker's own set-up.
#include "process_pool/conditions.hpp"

#include "posix/affinity.hpp"
#include "posix/process.hpp"

#include "process_pool/ring.hpp"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <system_error>

namespace tandem::process {

namespace {

std::atomic<std::uint32_t>* out_of_memory = nullptr;

// Called by operator new; must not allocate.
[[noreturn]] void die_of_memory() {
  out_of_memory->store(1, std::memory_order_relaxed);
  std::fputs("tandem: a worker process ends: a task has used up process_pool_options::memory_limit\n",
             stderr);
  std::abort();
}

template <class F>
void try_to(const char* field, const std::string& value, F f) {
  try {
    f();
  } catch (const std::system_error& e) {
    throw std::runtime_error(std::string("process_pool_options::") + field + " is " + value +
                             ", which a worker could not do: " + e.what());
  }
}

}  // namespace

void meet(const conditions& all, header& shared) {
  posix::set_oom_score_adjustment(all.oom_score_adj);  // a container may not let us: then all are equal
  if (all.nice != 0) try_to("nice", std::to_string(all.nice), [&] { posix::add_nice(all.nice); });
  if (!all.affinity.empty()) {
    std::string cpus;
    for (const int cpu : all.affinity) cpus += (cpus.empty() ? "" : ", ") + std::to_string(cpu);
    try_to("affinity", "{" + cpus + "}", [&] { posix::set_thread_affinity(all.affinity); });
  }
  if (!all.working_directory.empty()) {
    try_to("working_directory", "\"" + all.working_directory + "\"",
           [&] { posix::change_directory(all.working_directory); });
  }
  for (const auto& variable : all.environment) {
    try_to("environment", variable.first, [&] { posix::set_environment(variable.first, variable.second); });
  }
  // Last, for it is the user's code that it is meant for.
  if (all.memory_limit != 0) {
    try_to("memory_limit", std::to_string(all.memory_limit),
           [&] { posix::limit_further_memory(all.memory_limit); });
  }
  if (all.die_of_memory) {
    out_of_memory = &shared.out_of_memory;
    std::set_new_handler(die_of_memory);
  }
}

}  // namespace tandem::process
