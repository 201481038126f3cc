// What a worker sets up for itself before it serves: its limits, its priority, where it runs. Owns the message and
// carrying it out; what of it may be asked for is checked in options.cpp.
#ifndef TANDEM_PROCESS_POOL_CONDITIONS_HPP
#define TANDEM_PROCESS_POOL_CONDITIONS_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tandem::process {

struct header;

/// The same for all workers of a pool; travels with the hello. See process_pool_options.
struct conditions {
  std::uint64_t memory_limit = 0;    // bytes; 0: none
  bool die_of_memory = false;        // when_out_of_memory::kill
  std::uint64_t most_resident = 0;   // bytes between two tasks; 0: any number
  std::int64_t cpu_nanoseconds = 0;  // of a task; 0: any number
  std::int32_t nice = 0;
  std::int32_t oom_score_adj = 0;
  std::vector<int> affinity;
  std::map<std::string, std::optional<std::string>> environment;
  std::string working_directory;
};

/// All but what concerns tasks. `shared` is where the worker notes that it dies for want of memory.
/// Throws std::runtime_error that names the field of the options.
void meet(const conditions& all, header& shared);

}  // namespace tandem::process

#endif
