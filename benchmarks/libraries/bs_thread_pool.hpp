// Barak Shoshany's BS::thread_pool.
#ifndef TANDEM_BENCH_LIBRARIES_BS_THREAD_POOL_HPP
#define TANDEM_BENCH_LIBRARIES_BS_THREAD_POOL_HPP

#include <BS_thread_pool.hpp>
#include <utility>

namespace libraries {

class bs_thread_pool {
 public:
  explicit bs_thread_pool(int workers) : pool_(static_cast<std::size_t>(workers)) {}
  template <class F>
  auto submit(F&& f) {
    return pool_.submit_task(std::forward<F>(f));
  }
  [[nodiscard]] BS::thread_pool<>& get() { return pool_; }

 private:
  BS::thread_pool<> pool_;
};

}  // namespace libraries

#endif
