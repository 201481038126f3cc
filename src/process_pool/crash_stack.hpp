// From a crashed worker's record to lines that a user can read. Believes nothing of the record.
#ifndef TANDEM_PROCESS_POOL_CRASH_STACK_HPP
#define TANDEM_PROCESS_POOL_CRASH_STACK_HPP

#include "posix/crash.hpp"

#include <string>
#include <vector>

namespace tandem::process {

/// A line for each call, the innermost first; those of the worker's loop are left out, and a function that calls itself
/// over and over is told once with the number. Empty if there is no record, or one of another signal than `signal`.
/// Reads the symbol tables of modules that this process has loaded too, and opens no other file. Throws
/// std::bad_alloc.
[[nodiscard]] std::vector<std::string> crash_stack(const posix::crash_record& record, int signal);

}  // namespace tandem::process

#endif
