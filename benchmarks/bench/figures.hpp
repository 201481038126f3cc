// What one run of a contestant gives, and how it is told from one process to another: as text, in one line each.
#ifndef TANDEM_BENCH_FIGURES_HPP
#define TANDEM_BENCH_FIGURES_HPP

#include <optional>
#include <string>
#include <vector>

namespace bench {

/// A figure for each metric of the workload, in order; none where a contestant has no such figure.
using figures = std::vector<std::optional<double>>;

/// A line for each; "-" for none.
[[nodiscard]] std::string to_text(const figures& all);

/// @throws std::runtime_error if there is something else in `text`
[[nodiscard]] figures figures_in(const std::string& text);

}  // namespace bench

#endif
