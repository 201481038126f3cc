#include <tandem/task_group.hpp>

#include "inner_producer/workload.hpp"
#include "libraries/tandem.hpp"

namespace inner_producer {

figures run_tandem_group(const bench::conditions& c) {
  return measure_group<libraries::tandem_pool, tandem::task_group>(c);
}

}  // namespace inner_producer
