// What came out of a workload: for each metric and contestant the samples and what they amount to. Data only.
#ifndef TANDEM_BENCH_RESULT_HPP
#define TANDEM_BENCH_RESULT_HPP

#include <optional>
#include <string>
#include <vector>

#include "bench/workload.hpp"
#include "compare/statistics.hpp"

namespace bench {

/// One contestant's figures of one metric.
struct series {
  std::string contestant;
  bool is_reference = false;
  std::vector<double> samples;  ///< In the order of the rounds.
  compare::spread summary;
  /// Of the quotients by the reference's sample of the same round. None of the reference itself, where that has failed,
  /// and where its median is below the metric's resolution.
  std::optional<compare::spread> ratio;
};

struct metric_result {
  bench::metric metric;
  std::vector<series> contestants;  ///< Those that failed, or have no such figure, are not here.
};

struct workload_result {
  std::string name;
  std::string title;
  std::string reference;
  int rounds = 0;
  std::vector<metric_result> metrics;
  std::vector<std::string> absent;    ///< As workload::absent.
  std::vector<std::string> failures;  ///< "contestant: what it threw".
};

}  // namespace bench

#endif
