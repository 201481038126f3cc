#include "backend.hpp"

#include <stdexcept>
#include <tandem/inline_executor.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/tbb_pool.hpp>
#include <tandem/thread_pool.hpp>

namespace compare {

std::unique_ptr<tandem::executor> make_executor(const std::string& name, int workers) {
  if (name == "inline") return std::make_unique<tandem::inline_executor>();
  if (name == "thread") {
    return std::make_unique<tandem::thread_pool>(tandem::thread_pool_options{.max_workers = workers});
  }
  if (name == "process") {
    return std::make_unique<tandem::process_pool>(tandem::process_pool_options{.max_workers = workers});
  }
  if (name == "tbb")
    return std::make_unique<tandem::tbb_pool>(tandem::tbb_pool_options{.max_workers = workers});
  throw std::invalid_argument("no backend is called '" + name + "'");
}

bool has_workers(const std::string& name) { return name != "inline"; }

std::vector<pid_t> worker_pids(const tandem::executor& pool) {
  std::vector<pid_t> pids;
  // The rows of other pools name threads of this process, which its own usage covers.
  if (dynamic_cast<const tandem::process_pool*>(&pool) == nullptr) return pids;
  for (const tandem::worker_stats& worker : pool.stats().per_worker) pids.push_back(worker.pid);
  return pids;
}

// What the library itself would choose, affinity and cgroup quota included; the pool starts no thread before work.
int usable_cpus() { return tandem::thread_pool().max_workers(); }

}  // namespace compare
