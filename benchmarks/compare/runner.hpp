// Runs a workload on everything that was asked for and checks that all results agree. Owns the order of the runs
// and what is timed; knows nothing of what a workload does, nor of how the numbers are shown.
#ifndef TANDEM_COMPARE_RUNNER_HPP
#define TANDEM_COMPARE_RUNNER_HPP

#include <stdexcept>

#include "measurement.hpp"
#include "options.hpp"
#include "progress_bar.hpp"
#include "workload.hpp"

namespace compare {

/// A backend gave other results than the plain loop did, or a task of it failed.
class wrong_result : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How many runs run_workload() will make.
[[nodiscard]] int count_runs(const options& wanted);

/// Measures `work` in `wanted.repeat` rounds; each round runs serially first, then on each backend with each number of
/// workers, a new executor for each run. Rounds rather than all runs of a kind in a row, so that a machine that
/// slows down for a while slows down all of them. The advice is left empty.
/// @throws wrong_result at the first difference or failed task.
[[nodiscard]] comparison run_workload(workload& work, const options& wanted, progress_bar& progress);

}  // namespace compare

#endif
