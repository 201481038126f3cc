// The executors by name. The only file of the tool that knows which backends there are; everything else sees
// `tandem::executor&`.
#ifndef TANDEM_COMPARE_BACKEND_HPP
#define TANDEM_COMPARE_BACKEND_HPP

#include <sys/types.h>

#include <memory>
#include <string>
#include <tandem/executor.hpp>
#include <vector>

namespace compare {

/// Creates the executor called `name`, one of backend_names(), with `workers` workers.
/// @throws std::invalid_argument for any other name; what the executor's constructor throws.
[[nodiscard]] std::unique_ptr<tandem::executor> make_executor(const std::string& name, int workers);

/// Whether the number of workers of the backend called `name` can be chosen.
[[nodiscard]] bool has_workers(const std::string& name);

/// The process ids of the worker processes alive now; empty for backends that run in this process.
[[nodiscard]] std::vector<pid_t> worker_pids(const tandem::executor& pool);

/// CPUs that this process may use.
[[nodiscard]] int usable_cpus();

}  // namespace compare

#endif
