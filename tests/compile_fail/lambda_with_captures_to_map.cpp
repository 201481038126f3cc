// What submit refuses, map refuses in the same words.
// expect: a lambda with captures .* pass the captures as arguments or wrap the lambda in tandem::by_value
#include <tandem/process_pool.hpp>

#include <vector>

std::vector<int> add(tandem::process_pool& pool, const std::vector<int>& numbers, int more) {
#ifdef MUST_FAIL
  return pool.map([more](int n) { return n + more; }, numbers);
#else
  return pool.map(tandem::by_value([more](int n) { return n + more; }), numbers);
#endif
}
