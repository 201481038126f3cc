// std::async: no pool, each task is a thread of its own.
#ifndef TANDEM_BENCH_LIBRARIES_STD_ASYNC_HPP
#define TANDEM_BENCH_LIBRARIES_STD_ASYNC_HPP

#include <future>
#include <utility>

namespace libraries {

class std_async {
 public:
  using threads_end_with_tasks = void;
  explicit std_async(int /*workers*/) {}
  template <class F>
  auto submit(F&& f) {
    return std::async(std::launch::async, std::forward<F>(f));
  }
};

}  // namespace libraries

#endif
