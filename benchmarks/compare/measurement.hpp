// What a comparison is made of: one sample for each run, one row for each backend and worker count, one
// comparison for each workload. Plain data; measuring is runner.hpp's work, judging verdict.hpp's, and
// printing belongs to the reports.
#ifndef TANDEM_COMPARE_MEASUREMENT_HPP
#define TANDEM_COMPARE_MEASUREMENT_HPP

#include <optional>
#include <string>
#include <vector>

#include "statistics.hpp"

namespace compare {

/// The name of the row that every other one is measured against: a plain loop, no executor.
inline constexpr const char* serial_backend = "serial";

/// One run of one workload.
struct sample {
  double seconds = 0;        ///< Wall-clock time from the first submit to the last result.
  double start_seconds = 0;  ///< Creating the executor and getting one trivial result from it.
  double cpu_seconds = 0;    ///< This process and the worker processes, helpers of the tool left out.
  std::optional<double>
      peak_bytes{};  ///< Peak resident memory of the same; empty where the OS does not tell.
};

/// All runs of one workload on one backend with one number of workers, and what follows from them.
struct row {
  std::string backend{};
  int workers = 1;
  std::vector<sample> samples{};

  spread time{};
  double start_seconds = 0;
  double cpu_seconds = 0;
  std::optional<double> peak_bytes{};
  double speedup = 1;     ///< Serial median over this median.
  double efficiency = 1;  ///< Speed-up over workers.
  double tasks_per_second = 0;
};

/// Which row to use, and why.
struct verdict {
  std::size_t row = 0;  ///< Position in comparison::rows.
  std::string text{};   ///< One line, with the backend, the workers and the reason.
};

/// One workload on everything that was asked for; the serial row comes first.
struct comparison {
  std::string workload{};
  std::string kind{};         ///< "CPU-bound" or "IO-bound".
  std::string description{};  ///< What was run, in one line.
  std::string remark{};       ///< What the reader should know of the input (files skipped); may be empty.
  int tasks = 0;
  /// Part of all processors, 0 to 1, that other programs (and, in a virtual machine, the host) took meanwhile.
  double others = 0;
  std::vector<row> rows{};
  verdict advice{};
};

/// Fills in what follows from the samples: medians, speed-up against `rows[0]`, efficiency, rate.
void summarize_rows(comparison& all);

/// "thread with 3 workers", "serial": how a row is called in sentences.
[[nodiscard]] std::string row_label(const row& r);

}  // namespace compare

#endif
