// Draws one metric of a workload as a horizontal bar chart in SVG, readable on light and on dark pages, with no
// reference to anything outside.
#ifndef TANDEM_BENCH_CHART_HPP
#define TANDEM_BENCH_CHART_HPP

#include <string>

#include "bench/result.hpp"

namespace bench {

/// The reference's bar stands out. A thin line on each bar tells how far its samples spread. `m` has a contestant at least. Where the largest
/// is more than 30 times the smallest, the scale is logarithmic, and the chart says so.
[[nodiscard]] std::string chart_of(const workload_result& result, const metric_result& m);

}  // namespace bench

#endif
