// What a run costs besides time: processor seconds and peak memory of this process and of worker processes, which
// are not its children (a fork server's are) and so do not show in its own resource usage.
// Reads the kernel's counters; starts and stops nothing.
#ifndef TANDEM_COMPARE_USAGE_METER_HPP
#define TANDEM_COMPARE_USAGE_METER_HPP

#include <sys/types.h>

#include <map>
#include <optional>
#include <vector>

namespace compare {

/// What was used between usage_meter's construction and finish().
struct usage {
  double cpu_seconds = 0;
  std::optional<double> peak_bytes;  ///< Empty if the kernel does not tell.
};

/// Measures from construction on. Make it when the executor is ready, and finish before it is shut down, as a process
/// that has ended cannot be asked.
class usage_meter {
 public:
  /// Hands free heap back to the system and restarts this process's peak, so that earlier runs do not count.
  /// `workers` are the worker processes alive already.
  explicit usage_meter(const std::vector<pid_t>& workers);

  /// What this process and `workers` used. A worker not named at the start counts from its own start.
  /// Shared pages count once for each process.
  [[nodiscard]] usage finish(const std::vector<pid_t>& workers) const;

 private:
  double own_before_;
  std::map<pid_t, double> workers_before_;
};

/// Measures from construction on how much of the machine's processors is used, by whomever.
class machine_meter {
 public:
  machine_meter();

  /// Part of all processors, 0 to 1, used since construction besides `own_cpu_seconds`. Coarse: the kernel counts in
  /// hundredths of a second. 0 if it does not tell.
  [[nodiscard]] double others(double own_cpu_seconds) const;

 private:
  struct ticks {
    double busy = 0;
    double all = 0;
  };
  [[nodiscard]] static ticks read();

  ticks before_;
};

}  // namespace compare

#endif
