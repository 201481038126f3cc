// The comparison as one page that needs no network: advice, charts and tables. Fills the page of page/report.html; what
// it looks like is decided there.
#ifndef TANDEM_COMPARE_HTML_REPORT_HPP
#define TANDEM_COMPARE_HTML_REPORT_HPP

#include <string>
#include <vector>

#include "machine.hpp"
#include "measurement.hpp"
#include "options.hpp"

namespace compare {

/// The whole page. Without charts, and saying so, if the chart library was missing when the tool was built.
[[nodiscard]] std::string html_report(const std::vector<comparison>& all, const machine& on,
                                      const options& wanted);

}  // namespace compare

#endif
