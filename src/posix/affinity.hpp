// On which CPUs a thread may run.
//
// Owns reading and setting affinity masks of threads. How many CPUs a process may use in all is cpus.hpp's.
#ifndef TANDEM_POSIX_AFFINITY_HPP
#define TANDEM_POSIX_AFFINITY_HPP

#include <vector>

namespace tandem::posix {

/// Tells whether this machine has a CPU of that number, whoever may use it.
[[nodiscard]] bool cpu_exists(int cpu) noexcept;

/// Returns the numbers of the CPUs that the calling thread may run on, ascending. @throws std::system_error
[[nodiscard]] std::vector<int> thread_affinity();

/// Lets the calling thread run on these CPUs only.
/// @throws std::system_error (EINVAL: none of them may be used by this process)
void set_thread_affinity(const std::vector<int>& cpus);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_AFFINITY_HPP
