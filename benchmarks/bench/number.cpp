#include "bench/number.hpp"

#include <cmath>

#include "compare/format.hpp"

namespace bench {

std::string three_digits(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size < 9.995) return compare::fixed(value, 2);
  if (size < 99.95) return compare::fixed(value, 1);
  return compare::grouped(std::llround(value));
}

std::string ratio_text(double ratio) { return three_digits(ratio) + "x"; }

std::string ratio_range(const compare::spread& ratio) {
  return "[" + three_digits(ratio.low) + " - " + three_digits(ratio.high) + "]";
}

}  // namespace bench
