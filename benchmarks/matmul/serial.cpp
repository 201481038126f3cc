#include "matmul/workload.hpp"

namespace matmul {
figures run_serial(const bench::conditions& c) {
  return measure(c, [](const product& all) { serial(all); });
}

}  // namespace matmul
