// tandem::thread_pool as the workloads see a pool. The other files here are the same for other libraries.
#ifndef TANDEM_BENCH_LIBRARIES_TANDEM_HPP
#define TANDEM_BENCH_LIBRARIES_TANDEM_HPP

#include <tandem/thread_pool.hpp>

#include <utility>

namespace libraries {

class tandem_pool {
 public:
  explicit tandem_pool(int workers) : pool_({.max_workers = workers}) {}
  template <class F>
  auto submit(F&& f) {
    return pool_.submit(std::forward<F>(f));
  }
  /// Runs `f` as a task and waits.
  template <class F>
  auto run(F&& f) {
    return pool_.submit(std::forward<F>(f)).get();
  }
  [[nodiscard]] tandem::thread_pool& get() { return pool_; }

 private:
  tandem::thread_pool pool_;
};

}  // namespace libraries

#endif
