#include "bench/chart.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/number.hpp"
#include "compare/escape.hpp"
#include "compare/format.hpp"

namespace bench {
namespace {

constexpr double width = 760;
constexpr double margin = 20;
constexpr double bars_at = 236;
constexpr double room_for_values = 150;
constexpr double bar_height = 20;
constexpr double row_height = 30;
constexpr double top = 78;

// As in the page: a card of its own, so that it does not depend on what is behind it.
constexpr const char* style = R"(<style>
.tb-card{fill:#fff;stroke:#dce1e8}.tb-grid{stroke:#e6eaef}.tb-bar{fill:#a9b4c2}.tb-reference{fill:#0b63b0}
.tb-half{stroke:#1b2430;stroke-width:1.5}.tb-ink{fill:#1b2430}.tb-muted{fill:#56616f}
.tb-text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:13px}
.tb-value{paint-order:stroke;stroke:#fff;stroke-width:4px}.tb-title{font-size:15px;font-weight:600}.tb-small{font-size:11px}.tb-bold{font-weight:600}
@media (prefers-color-scheme:dark){.tb-card{fill:#1a2029;stroke:#2c3541}.tb-grid{stroke:#283039}
.tb-bar{fill:#5b6878}.tb-reference{fill:#3d9bf0}.tb-half{stroke:#e7ebf0}.tb-ink{fill:#e7ebf0}.tb-muted{fill:#9aa6b4}
.tb-value{stroke:#1a2029}}
</style>
)";

std::string at(double x) { return compare::fixed(x, 1); }

std::string text(double x, double y, const std::string& classes, const std::string& words,
                 const std::string& anchor = "start") {
  return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" class=\"tb-text " + classes + "\" text-anchor=\"" +
         anchor + "\">" + compare::escaped(words) + "</text>\n";
}

// From values to places along the bars.
class scale {
 public:
  explicit scale(const std::vector<series>& all) {
    double smallest = 0;
    for (const series& s : all) {
      largest_ = std::max(largest_, s.summary.median);
      if (s.summary.median > 0 && (smallest == 0 || s.summary.median < smallest)) smallest = s.summary.median;
    }
    is_logarithmic_ = smallest > 0 && largest_ > 30 * smallest;
    if (is_logarithmic_) low_ = std::pow(10, std::floor(std::log10(smallest * 0.7)));
    if (largest_ <= 0) largest_ = 1;
  }

  [[nodiscard]] bool is_logarithmic() const { return is_logarithmic_; }

  [[nodiscard]] double operator()(double value) const {
    const double part = is_logarithmic_ ? std::log(std::max(value, low_) / low_) / std::log(largest_ / low_)
                                        : std::max(value, 0.0) / largest_;
    // Beyond the longest bar only for the line of its spread.
    return bars_at + std::min(part, 1.1) * (width - bars_at - room_for_values);
  }

  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> values;
    if (is_logarithmic_) {
      for (double value = low_; value <= largest_; value *= 10) values.push_back(value);
      return values;
    }
    const double rough = largest_ / 4;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    const double step = power * (rough / power < 2 ? 2 : rough / power < 5 ? 5 : 10);
    for (int i = 0; i * step <= largest_ * 1.0001; ++i) values.push_back(i * step);
    return values;
  }

 private:
  double largest_ = 0;
  double low_ = 0;
  bool is_logarithmic_ = false;
};

std::string tick_text(double value) {
  if (value == 0) return "0";
  if (value >= 1000) return compare::grouped(std::llround(value));
  std::string digits = compare::fixed(value, 4);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

std::string grid(const scale& to_x, double bottom) {
  std::string svg;
  for (const double value : to_x.ticks()) {
    const std::string x = at(to_x(value));
    svg += "<line class=\"tb-grid\" x1=\"" + x + "\" y1=\"" + at(top - 6) + "\" x2=\"" + x + "\" y2=\"" +
           at(bottom) + "\"/>\n";
    svg += text(to_x(value), bottom + 15, "tb-muted tb-small", tick_text(value), "middle");
  }
  return svg;
}

// "ns per task" is said at the top; at a bar "ns" is enough, and of "times" and the like nothing.
std::string short_unit(const std::string& unit) {
  const std::string word = unit.substr(0, unit.find(' '));
  for (const char* known : {"ns", "us", "ms", "%", "bytes"})
    if (word == known) return " " + word;
  return {};
}

std::string bar(const series& s, const std::string& unit, const scale& to_x, double y) {
  const double end = to_x(s.summary.median);
  const double middle = y + bar_height / 2;
  std::string svg =
      text(bars_at - 10, middle + 4.5, s.is_reference ? "tb-ink tb-bold" : "tb-ink", s.contestant, "end");
  svg += "<rect class=\"" + std::string(s.is_reference ? "tb-reference" : "tb-bar") + "\" x=\"" +
         at(bars_at) + "\" y=\"" + at(y) + "\" width=\"" + at(std::max(end - bars_at, 1.5)) + "\" height=\"" +
         at(bar_height) + "\" rx=\"2\"/>\n";
  const double low = to_x(s.summary.low);
  const double high = to_x(s.summary.high);
  if (high - low >= 2) {
    svg += "<path class=\"tb-half\" fill=\"none\" d=\"M" + at(low) + " " + at(middle) + "H" + at(high) + "M" +
           at(low) + " " + at(middle - 3) + "v6M" + at(high) + " " + at(middle - 3) + "v6\"/>\n";
  }
  std::string value = three_digits(s.summary.median) + short_unit(unit);
  const std::string ratio = s.ratio ? ratio_text(s.ratio->median) : "";
  const std::string place = "<text x=\"" + at(std::max(end, high) + 8) + "\" y=\"" + at(middle + 4.5) +
                            "\" class=\"tb-text tb-value ";
  svg += place + (s.is_reference ? "tb-ink tb-bold" : "tb-ink") + "\">" + compare::escaped(value);
  if (!ratio.empty()) svg += "<tspan class=\"tb-muted\" dx=\"8\">" + compare::escaped(ratio) + "</tspan>";
  return svg + "</text>\n";
}

}  // namespace

std::string chart_of(const workload_result& result, const metric_result& m) {
  const scale to_x(m.contestants);
  const double bottom = top + row_height * static_cast<double>(m.contestants.size());
  const double height = bottom + 30;
  const std::string title = result.name + ": " + m.metric.name;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + at(width) + " " +
                    at(height) + "\" width=\"" + at(width) + "\" height=\"" + at(height) +
                    "\" role=\"img\">\n<title>" + compare::escaped(title) + "</title>\n" + style;
  svg += "<rect class=\"tb-card\" x=\"0.5\" y=\"0.5\" width=\"" + at(width - 1) + "\" height=\"" +
         at(height - 1) + "\" rx=\"8\"/>\n";
  svg += text(margin, 28, "tb-ink tb-title", title);
  svg += text(margin, 48, "tb-muted tb-small",
              m.metric.unit + ", less is better; median of " +
                  compare::counted(result.rounds, "interleaved round", "interleaved rounds") +
                  ", line: " + m.contestants.front().summary.range_name() +
                  (to_x.is_logarithmic() ? "; logarithmic scale" : ""));
  svg += grid(to_x, bottom);
  double y = top;
  for (const series& s : m.contestants) {
    svg += bar(s, m.metric.unit, to_x, y);
    y += row_height;
  }
  return svg + "</svg>\n";
}

}  // namespace bench
