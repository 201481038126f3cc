// Figures and ratios as people read them: three digits that count.
#ifndef TANDEM_BENCH_NUMBER_HPP
#define TANDEM_BENCH_NUMBER_HPP

#include <string>

#include "compare/statistics.hpp"

namespace bench {

/// "0.42", "4.21", "42.1", "421", "42,100".
[[nodiscard]] std::string three_digits(double value);

/// "4.20x".
[[nodiscard]] std::string ratio_text(double ratio);

/// "[4.11 - 4.28]".
[[nodiscard]] std::string ratio_range(const compare::spread& ratio);

}  // namespace bench

#endif
