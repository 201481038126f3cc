// Runs a program and reads what it prints.
#ifndef TANDEM_BENCH_SUBPROCESS_HPP
#define TANDEM_BENCH_SUBPROCESS_HPP

#include <chrono>
#include <string>
#include <vector>

namespace bench {

/// Runs `command` (a path or a name in PATH, then its arguments) and returns its standard output. One that has not ended
/// after `limit` is killed.
/// @throws std::runtime_error if it cannot be started, fails or is killed; what it wrote to standard error is in the message
[[nodiscard]] std::string output_of(std::vector<std::string> command, std::chrono::seconds limit);

/// Whether `program` is in PATH.
[[nodiscard]] bool is_installed(const std::string& program);

}  // namespace bench

#endif
