// The command line of tandem-compare: what may be asked for, what is the default, and which requests are refused
// before anything runs. Measures nothing and creates no executor.
#ifndef TANDEM_COMPARE_OPTIONS_HPP
#define TANDEM_COMPARE_OPTIONS_HPP

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace compare {

/// Exit codes: all agreed; results differed or a task failed; the request was wrong.
enum exit_code : int { exit_ok = 0, exit_wrong_result = 1, exit_usage = 2 };

/// A valid request, with every default filled in.
struct options {
  std::vector<std::string> workloads;
  std::vector<std::string> backends;
  std::vector<int> workers;
  int repeat = 5;
  bool quick = false;

  int fib_first = 25;
  int fib_last = 34;
  std::filesystem::path directory = "/usr/include";
  std::uintmax_t directory_limit = std::numeric_limits<std::uintmax_t>::max();  ///< Bytes taken from it.
  int sleep_tasks = 30;
  std::chrono::microseconds delay{25'000};
  int pages = 30;
  std::chrono::microseconds latency{25'000};

  std::string json_file;  ///< Empty: none.
  std::string html_file;  ///< Empty: none.
};

/// Nothing to run: help or version was asked for, or the request was wrong.
struct early_exit {
  int code = exit_ok;
  std::string text;  ///< For stdout if code is 0; one line for stderr otherwise.
};

/// Names accepted by --workload, in the order in which they run.
[[nodiscard]] const std::vector<std::string>& workload_names();

/// Names accepted by --backend, in the order in which they run.
[[nodiscard]] const std::vector<std::string>& backend_names();

/// Worker counts when none are named: 1, 2, 3, then doubling up to `usable_cpus`, and that itself.
[[nodiscard]] std::vector<int> default_worker_counts(int usable_cpus);

/// Reads the command line and checks all of it, down to whether the output files can be written, so that no
/// one waits minutes for a report that cannot be saved. `usable_cpus` only shapes defaults.
[[nodiscard]] std::variant<options, early_exit> parse_options(int argc, const char* const* argv,
                                                              int usable_cpus);

}  // namespace compare

#endif
