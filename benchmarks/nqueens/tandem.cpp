#include <tandem/task_group.hpp>

#include "libraries/tandem.hpp"
#include "nqueens/workload.hpp"

namespace nqueens {
figures run_tandem_group(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(
      c, [&](int n) { return pool.run([n] { return with_group<tandem::task_group>(n, 0, board{}); }); });
}

}  // namespace nqueens
