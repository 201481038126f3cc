#include "bench/subprocess.hpp"

#include <chrono>
#include <string>

#include "as_completed/workload.hpp"

namespace as_completed {
figures run_python(const bench::conditions& c) {
  return bench::figures_in(bench::output_of(
      {"python3", TANDEM_BENCH_PYTHON_AS_COMPLETED, std::to_string(count(c) / 10), std::to_string(c.workers)},
      std::chrono::seconds(120)));
}

}  // namespace as_completed
