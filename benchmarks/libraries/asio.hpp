// Boost.Asio's thread_pool with std::packaged_task.
#ifndef TANDEM_BENCH_LIBRARIES_ASIO_HPP
#define TANDEM_BENCH_LIBRARIES_ASIO_HPP

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>
#include <type_traits>
#include <utility>

namespace libraries {

class asio_pool {
 public:
  explicit asio_pool(int workers) : pool_(static_cast<std::size_t>(workers)) {}
  ~asio_pool() { pool_.join(); }
  template <class F>
  auto submit(F&& f) {
    std::packaged_task<std::invoke_result_t<std::decay_t<F>&>()> task(std::forward<F>(f));
    auto future = task.get_future();
    boost::asio::post(pool_, std::move(task));
    return future;
  }
  [[nodiscard]] boost::asio::thread_pool& get() { return pool_; }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace libraries

#endif
