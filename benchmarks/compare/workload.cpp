#include "workload.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace compare {

std::string first_difference(const results& expected, const results& found) {
  if (expected == found) return {};
  // Sorted, so that the same difference is named every time.
  const std::map<std::string, long> wanted(expected.begin(), expected.end());
  for (const auto& [name, value] : wanted) {
    const auto at = found.find(name);
    if (at == found.end()) return name + " is missing, not " + std::to_string(value);
    if (at->second != value)
      return name + " is " + std::to_string(at->second) + ", not " + std::to_string(value);
  }
  const std::map<std::string, long> got(found.begin(), found.end());
  for (const auto& [name, value] : got) {
    if (!expected.contains(name)) return name + " is " + std::to_string(value) + ", and should not be there";
  }
  return "results differ";
}

std::unique_ptr<workload> make_workload(const std::string& name, const options& wanted) {
  if (name == "fib") return make_fib(wanted);
  if (name == "words") return make_words(wanted);
  if (name == "sleep") return make_sleep(wanted);
  if (name == "http") return make_http(wanted);
  throw std::invalid_argument("no workload is called '" + name + "'");
}

}  // namespace compare
