#include <oneapi/tbb/task_group.h>

#include "inner_producer/workload.hpp"
#include "libraries/onetbb.hpp"

namespace inner_producer {

figures run_onetbb_group(const bench::conditions& c) {
  return measure_group<libraries::onetbb_pool, tbb::task_group>(c);
}

}  // namespace inner_producer
