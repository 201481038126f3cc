#include "libraries/taskflow.hpp"
#include "fib/workload.hpp"

namespace fib {
namespace {

long with_taskflow(tf::Executor& executor, int n) {
  if (n < 2) return n;
  long a = 0;
  tf::TaskGroup group = executor.task_group();
  group.silent_async([&executor, &a, n] { a = with_taskflow(executor, n - 1); });
  const long b = with_taskflow(executor, n - 2);
  group.corun();
  return a + b;
}

}  // namespace

figures run_taskflow(const bench::conditions& c) {
  bench::warm<libraries::taskflow_pool> pool(c.workers);
  return measure(
      c, [&](int n) { return pool.run([n](tf::Executor& executor) { return with_taskflow(executor, n); }); });
}

}  // namespace fib
