// Runs a workload's contestants in turn, so that whatever the machine does meanwhile happens to all of them. Each run is a
// process of its own: it begins with a fresh heap and without the threads of another one, and a crash ends this run only.
#ifndef TANDEM_BENCH_RUNNER_HPP
#define TANDEM_BENCH_RUNNER_HPP

#include <functional>
#include <string>

#include "bench/result.hpp"
#include "bench/workload.hpp"

namespace bench {

struct run_options {
  conditions given;
  int rounds = 0;  ///< 0: as many as the workload says.
  unsigned seed = 1;
  /// Called before each run of a contestant: which round (from 1), how many, and whose turn it is.
  std::function<void(int round, int rounds, const std::string& contestant)> progress;
};

/// In each round everyone runs once, in an order that is drawn anew with `seed`, so that nobody always comes behind the same.
[[nodiscard]] workload_result run(const workload& work, const run_options& options);

/// What the process does that run() starts.
/// @throws std::invalid_argument if there is no such contestant; what its run throws
[[nodiscard]] figures run_alone(const workload& work, const std::string& contestant);

}  // namespace bench

#endif
