#include "libraries/taskflow.hpp"

#include "inner_producer/workload.hpp"

namespace inner_producer {

figures run_taskflow_group(const bench::conditions& c) {
  return measure_with<libraries::taskflow_pool>(c, [](libraries::taskflow_pool& pool, std::size_t count) {
    tf::TaskGroup group = pool.get().task_group();
    for (std::size_t i = 0; i < count; ++i) group.silent_async([] {});
    group.corun();
  });
}

}  // namespace inner_producer
