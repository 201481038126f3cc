#include "libraries/taskflow.hpp"
#include "skynet/workload.hpp"

namespace skynet {
namespace {

long with_taskflow(tf::Executor& executor, long number, long size) {
  if (size == 1) return number;
  size /= static_cast<long>(children);
  sums parts;
  tf::TaskGroup group = executor.task_group();
  for (std::size_t i = 0; i + 1 < children; ++i)
    group.silent_async([&, i] { parts[i] = with_taskflow(executor, first_leaf(number, i, size), size); });
  parts[children - 1] = with_taskflow(executor, first_leaf(number, children - 1, size), size);
  group.corun();
  return total(parts);
}

}  // namespace

figures run_taskflow(const bench::conditions& c) {
  bench::warm<libraries::taskflow_pool> pool(c.workers);
  return measure(c, [&](long leaves) {
    return pool.run([leaves](tf::Executor& executor) { return with_taskflow(executor, 0, leaves); });
  });
}

}  // namespace skynet
