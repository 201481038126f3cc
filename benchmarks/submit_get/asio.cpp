#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <future>

#include "submit_get/contestants.hpp"

namespace submit_get {

double run_asio(std::size_t tasks, std::size_t window) {
  boost::asio::thread_pool pool(2);
  return measure(tasks, window, [&] {
    std::packaged_task<void()> task([] {});
    auto future = task.get_future();
    boost::asio::post(pool, std::move(task));
    return future;
  });
}

}  // namespace submit_get
