// All results as one HTML page that needs nothing from outside.
#ifndef TANDEM_BENCH_PAGE_HPP
#define TANDEM_BENCH_PAGE_HPP

#include <string>
#include <vector>

#include "bench/result.hpp"
#include "bench/setting.hpp"

namespace bench {

/// A section for each workload: a table, and a chart for each metric.
[[nodiscard]] std::string page_of(const setting& on, const std::vector<workload_result>& results);

}  // namespace bench

#endif
