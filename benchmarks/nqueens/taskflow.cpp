#include "libraries/taskflow.hpp"
#include "nqueens/workload.hpp"

namespace nqueens {
namespace {

int with_taskflow(tf::Executor& executor, int n, int row, const board& queens) {
  if (row == n) return 1;
  std::array<board, largest> next;
  counts parts{};
  tf::TaskGroup group = executor.task_group();
  for (int column = 0; column < n; ++column) {
    board& here = next[static_cast<std::size_t>(column)];
    int& part = parts[static_cast<std::size_t>(column)];
    if (place(queens, row, column, here))
      group.silent_async(
          [&executor, &here, &part, n, row] { part = with_taskflow(executor, n, row + 1, here); });
  }
  group.corun();
  return total(parts, n);
}

}  // namespace

figures run_taskflow(const bench::conditions& c) {
  bench::warm<libraries::taskflow_pool> pool(c.workers);
  return measure(c, [&](int n) {
    return pool.run([n](tf::Executor& executor) { return with_taskflow(executor, n, 0, board{}); });
  });
}

}  // namespace nqueens
