// The comparison as JSON: every run and all that follows from it, for scripts and for the web page's charts.
#ifndef TANDEM_COMPARE_JSON_REPORT_HPP
#define TANDEM_COMPARE_JSON_REPORT_HPP

#include <string>
#include <vector>

#include "machine.hpp"
#include "measurement.hpp"
#include "options.hpp"

namespace compare {

/// A JSON object, indented by `indent` spaces, or on one line if that is negative. Times are in seconds, memory in bytes;
/// what the system did not tell is null. `schema` counts up whenever a member changes its meaning.
[[nodiscard]] std::string json_report(const std::vector<comparison>& all, const machine& on,
                                      const options& wanted, int indent);

}  // namespace compare

#endif
