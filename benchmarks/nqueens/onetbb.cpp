#include <oneapi/tbb/task_group.h>

#include "libraries/onetbb.hpp"
#include "nqueens/workload.hpp"

namespace nqueens {
figures run_onetbb_group(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(
      c, [&](int n) { return arena.run([n] { return with_group<tbb::task_group>(n, 0, board{}); }); });
}

}  // namespace nqueens
