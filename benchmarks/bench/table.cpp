#include "bench/table.hpp"

#include <algorithm>

#include "bench/number.hpp"
#include "compare/format.hpp"

namespace bench {
namespace {

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string row(const series& s) {
  std::string text = "    " + left(s.contestant, 40) + right(three_digits(s.summary.median), 10) + "  [" +
                     right(three_digits(s.summary.low), 9) + " - " + right(three_digits(s.summary.high), 9) +
                     "]";
  if (s.ratio) text += right(ratio_text(s.ratio->median), 9) + "  " + ratio_range(*s.ratio);
  if (!s.ratio && !s.is_reference) text += right("-", 9);
  return text + "\n";
}

}  // namespace

std::string table_of(const workload_result& result) {
  std::string text = "\n" + result.name + ": " + result.title + "\n";
  for (const metric_result& m : result.metrics) {
    if (m.contestants.empty()) continue;
    const std::string range = m.contestants.front().summary.range_name();
    text += "  " + m.metric.name + ", " + m.metric.unit + ": median of " +
            compare::counted(result.rounds, "round", "rounds") + " [" + range + "]; ratio to " +
            result.reference + " in the same round [" + range + "]\n";
    for (const series& s : m.contestants) text += row(s);
  }
  for (const std::string& name : result.absent) text += "  not installed: " + name + "\n";
  for (const std::string& failure : result.failures) text += "  FAILED " + failure + "\n";
  return text;
}

}  // namespace bench
