#include "format.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace compare {

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

time_unit unit_for(double seconds) {
  if (seconds >= 1) return {.seconds = 1, .name = "s"};
  if (seconds >= 1e-3) return {.seconds = 1e-3, .name = "ms"};
  return {.seconds = 1e-6, .name = "µs"};
}

std::string in_unit(double seconds, time_unit unit) {
  const int digits = unit.seconds == 1 ? 3 : unit.seconds == 1e-3 ? 2 : 1;
  return fixed(seconds / unit.seconds, digits);
}

std::string duration(double seconds) {
  const time_unit unit = unit_for(seconds);
  const double value = seconds / unit.seconds;
  const int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return fixed(value, digits) + " " + std::string(unit.name);
}

std::string milliseconds(std::chrono::microseconds wait) {
  std::string text = fixed(static_cast<double>(wait.count()) / 1000, 3);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " ms";
}

std::string factor(double value) { return fixed(value, value < 10 ? 2 : 1) + "x"; }

std::string bytes(double value) {
  constexpr std::array<const char*, 5> names{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t step = 0;
  while (value >= 1024 && step + 1 < names.size()) {
    value /= 1024;
    ++step;
  }
  return fixed(value, step == 0 || value >= 100 ? 0 : 1) + " " + names[step];
}

std::string grouped(long long count) {
  std::string digits = std::to_string(std::llabs(count));
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return count < 0 ? "-" + digits : digits;
}

std::string counted(long long count, std::string_view singular, std::string_view plural) {
  return grouped(count) + " " + std::string(count == 1 ? singular : plural);
}

}  // namespace compare
