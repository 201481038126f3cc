// What reduce() returns becomes the result: it must convert to it.
// expect: no matching function for call to .*parallel_reduce
#include <tandem/parallel_reduce.hpp>

#include <string>
#include <vector>

std::string join(const std::vector<std::string>& words) {
#ifdef MUST_FAIL
  const auto reduce = [](const std::string& a, const std::string& b) { return std::vector{a, b}; };
  return tandem::parallel_reduce(words, std::string(), reduce);
#else
  const auto reduce = [](const std::string& a, const std::string& b) { return a + b; };
  return tandem::parallel_reduce(words, std::string(), reduce);
#endif
}
