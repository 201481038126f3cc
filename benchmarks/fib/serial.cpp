#include "fib/workload.hpp"

namespace fib {
figures run_serial(const bench::conditions& c) {
  return measure(c, [](int n) { return serial(n); });
}

}  // namespace fib
