// The comparison as aligned text: a title, a table and the closing advice. Formats only; where it goes, and whether bold
// can be shown there, is the caller's to know.
#ifndef TANDEM_COMPARE_TEXT_REPORT_HPP
#define TANDEM_COMPARE_TEXT_REPORT_HPP

#include <string>
#include <vector>

#include "measurement.hpp"

namespace compare {

/// Cells of the table, row by row, the first row being the headings; also what the web page shows.
[[nodiscard]] std::vector<std::vector<std::string>> table_cells(const comparison& all);

/// One workload's whole section, ending in a newline. The advised row is marked, and bold if `bold`.
/// Prose is wrapped at `width` columns; the table is as wide as it needs.
[[nodiscard]] std::string text_report(const comparison& all, bool bold, int width);

/// `text` broken at spaces into lines of at most `width` columns, each begun with `indent`, ended by a newline.
[[nodiscard]] std::string wrap(const std::string& text, const std::string& indent, int width);

}  // namespace compare

#endif
