#include "libraries/taskflow.hpp"
#include "matmul/workload.hpp"

namespace matmul {
namespace {

void with_taskflow(tf::Executor& executor, const product& all) {
  if (all.is_small()) return all.compute();
  for (const std::size_t phase : {0U, 4U}) {
    tf::TaskGroup group = executor.task_group();
    for (std::size_t i = phase; i < phase + 3; ++i)
      group.silent_async([&executor, &all, i] { with_taskflow(executor, all.part(i)); });
    with_taskflow(executor, all.part(phase + 3));
    group.corun();
  }
}

}  // namespace

figures run_taskflow(const bench::conditions& c) {
  bench::warm<libraries::taskflow_pool> pool(c.workers);
  return measure(c, [&](const product& all) {
    pool.run([&all](tf::Executor& executor) { with_taskflow(executor, all); });
  });
}

}  // namespace matmul
