#include "nqueens/workload.hpp"

namespace nqueens {
figures run_serial(const bench::conditions& c) {
  return measure(c, [](int n) { return serial(n, 0, board{}); });
}

}  // namespace nqueens
