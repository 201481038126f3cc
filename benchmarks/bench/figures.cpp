#include "bench/figures.hpp"

#include <charconv>
#include <sstream>
#include <stdexcept>

namespace bench {

std::string to_text(const figures& all) {
  std::ostringstream text;
  text.precision(17);
  for (const std::optional<double>& one : all) {
    if (one) {
      text << *one << '\n';
    } else {
      text << "-\n";
    }
  }
  return text.str();
}

figures figures_in(const std::string& text) {
  figures all;
  std::istringstream input(text);
  for (std::string word; input >> word;) {
    if (word == "-") {
      all.emplace_back();
      continue;
    }
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc{} || end != word.data() + word.size())
      throw std::runtime_error("printed something else than figures: " + text);
    all.emplace_back(value);
  }
  return all;
}

}  // namespace bench
