// Numbers as people read them: times, sizes, counts. Shared by the table, the verdict and the web page, so that
// the three never disagree. Text only; no layout and no output.
#ifndef TANDEM_COMPARE_FORMAT_HPP
#define TANDEM_COMPARE_FORMAT_HPP

#include <chrono>
#include <string>
#include <string_view>

namespace compare {

/// A unit of time chosen once for a whole table, so that its columns can be compared by eye.
struct time_unit {
  double seconds = 1;  ///< How long one unit is.
  std::string_view name = "s";
};

/// Microseconds, milliseconds or seconds, so that `seconds` has one to four digits before the point.
[[nodiscard]] time_unit unit_for(double seconds);

/// `value` with `digits` after the point, in the C locale.
[[nodiscard]] std::string fixed(double value, int digits);

/// `seconds` in `unit`, without its name; always as many digits after the point, so that points stand in line.
[[nodiscard]] std::string in_unit(double seconds, time_unit unit);

/// `seconds` with its own best unit: "83.1 ms".
[[nodiscard]] std::string duration(double seconds);

/// A wait as its user gave it: "25 ms", "0.5 ms".
[[nodiscard]] std::string milliseconds(std::chrono::microseconds wait);

/// A factor to two or three significant digits: "1.96x", "28.4x".
[[nodiscard]] std::string factor(double value);

/// Bytes in binary units: "12.4 MiB".
[[nodiscard]] std::string bytes(double value);

/// A count with a comma every three digits: "23,740".
[[nodiscard]] std::string grouped(long long count);

/// `count` and its noun: "1 page", "30 pages".
[[nodiscard]] std::string counted(long long count, std::string_view singular, std::string_view plural);

}  // namespace compare

#endif
