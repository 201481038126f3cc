// Which CPUs share a last-level cache: what one of them has touched is near for the others. Owns the reading of sysfs. Decides
// nothing.
#ifndef TANDEM_POSIX_CACHE_DOMAIN_HPP
#define TANDEM_POSIX_CACHE_DOMAIN_HPP

#include <string>
#include <vector>

namespace tandem::posix {

/// For each CPU number the number of its domain, from 0; nodes of a NUMA machine are domains of their own. All are 0 where sysfs tells
/// nothing. `root` is put before every path: tests use it. Reads a few files for each domain.
/// @throws std::bad_alloc
[[nodiscard]] std::vector<int> cache_domains(const std::string& root = "");

/// The domain of the CPU that the calling thread runs on, by what cache_domains() said when the program first asked; 0 for all if there
/// is but one, then without a look. Takes some nanoseconds. Where a thread runs may change at any time.
[[nodiscard]] int current_cache_domain() noexcept;

}  // namespace tandem::posix

#endif
