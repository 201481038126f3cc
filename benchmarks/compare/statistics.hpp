// Medians and spreads of repeated runs, and the one rule by which two of them count as different.
// Knows numbers only: what they measure, and what to advise, is decided elsewhere.
#ifndef TANDEM_COMPARE_STATISTICS_HPP
#define TANDEM_COMPARE_STATISTICS_HPP

#include <vector>

namespace compare {

/// Where repeated runs lie. `low` to `high` is the middle half of them (quartiles) from five runs on; with
/// fewer, quartiles say nothing, and it is all of them.
struct spread {
  double low = 0;
  double median = 0;
  double high = 0;
  int runs = 0;

  /// What `low` to `high` is: "middle half", or "least to most" of fewer runs.
  [[nodiscard]] const char* range_name() const;

  /// Half of the distance from low to high: what is printed after a plus-minus sign.
  [[nodiscard]] double half_width() const { return (high - low) / 2; }
};

/// Summarizes runs given in any order. No runs give all zeros.
[[nodiscard]] spread summarize(std::vector<double> runs);

/// Whether `a` and `b` are too close to call one faster: their spreads touch, or their medians are within
/// 2 % (below what a run repeats to on a quiet machine). A single run has no spread; medians within 10 % tie then.
[[nodiscard]] bool ties(const spread& a, const spread& b);

}  // namespace compare

#endif
