// Taskflow's executor, without a graph.
#ifndef TANDEM_BENCH_LIBRARIES_TASKFLOW_HPP
#define TANDEM_BENCH_LIBRARIES_TASKFLOW_HPP

#include <taskflow/taskflow.hpp>
#include <utility>

namespace libraries {

class taskflow_pool {
 public:
  explicit taskflow_pool(int workers) : executor_(static_cast<std::size_t>(workers)) {}
  template <class F>
  auto submit(F&& f) {
    return executor_.async(std::forward<F>(f));
  }
  /// Runs `f(executor)` as a task and waits.
  template <class F>
  auto run(F&& f) {
    return executor_.async([this, &f] { return f(executor_); }).get();
  }
  [[nodiscard]] tf::Executor& get() { return executor_; }

 private:
  tf::Executor executor_;
};

}  // namespace libraries

#endif
