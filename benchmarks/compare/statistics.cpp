#include "statistics.hpp"

#include <algorithm>
#include <cmath>

namespace compare {
namespace {

constexpr int runs_for_quartiles = 5;
constexpr double resolution = 0.02;
constexpr double resolution_of_one_run = 0.10;

// Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996; R's and NumPy's default).
double quantile(const std::vector<double>& sorted, double fraction) {
  const double at = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - std::floor(at));
}

}  // namespace

const char* spread::range_name() const { return runs < runs_for_quartiles ? "least to most" : "middle half"; }

spread summarize(std::vector<double> runs) {
  if (runs.empty()) return {};
  std::sort(runs.begin(), runs.end());
  const int count = static_cast<int>(runs.size());
  const bool few = count < runs_for_quartiles;
  return {.low = few ? runs.front() : quantile(runs, 0.25),
          .median = quantile(runs, 0.5),
          .high = few ? runs.back() : quantile(runs, 0.75),
          .runs = count};
}

bool ties(const spread& a, const spread& b) {
  if (a.low <= b.high && b.low <= a.high) return true;
  const double tolerance = std::min(a.runs, b.runs) < 2 ? resolution_of_one_run : resolution;
  return std::abs(a.median - b.median) <= tolerance * std::max(a.median, b.median);
}

}  // namespace compare
