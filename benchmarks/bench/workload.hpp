// What tandem-bench measures: a workload, its metrics, and the contestants that do it. Data only: workloads.hpp lists
// them, runner.hpp runs them.
#ifndef TANDEM_BENCH_WORKLOAD_HPP
#define TANDEM_BENCH_WORKLOAD_HPP

#include <functional>
#include <string>
#include <vector>

#include "bench/figures.hpp"

namespace bench {

/// What holds for all workloads of a run.
struct conditions {
  bool quick = false;  ///< Only so much work as shows that everything runs; the figures mean nothing.
  int workers = 2;     ///< Of each pool.
  /// How much busy_work() that is: measured once, so that all contestants are given the same work.
  double steps_per_microsecond = 0;

  /// `full`, or `little` of a quick run.
  template <class T>
  [[nodiscard]] T pick(T full, T little) const {
    return quick ? little : full;
  }
};

/// One figure; smaller is better.
struct metric {
  std::string name;
  std::string unit;
  /// Smaller figures cannot be told from none: there is no ratio to them.
  double resolution = 0;
};

/// One way of doing it.
struct contestant {
  std::string name;
  /// Does it once, in a process of its own. Makes its pool before the clock runs. What it throws is reported, and ends this
  /// contestant's part.
  std::function<figures()> run;
};

struct workload {
  std::string name;   ///< On the command line.
  std::string title;  ///< A sentence that says what is done.
  std::vector<metric> metrics;
  std::vector<contestant> contestants;
  std::string reference;  ///< The contestant that ratios are to.
  int rounds = 7;
  std::vector<std::string>
      absent{};  ///< "contestant (package)": what takes no part because it is not installed.
};

}  // namespace bench

#endif
