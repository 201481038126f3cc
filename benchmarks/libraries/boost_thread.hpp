// Boost.Thread's basic_thread_pool with boost::packaged_task. Include it first: it says which parts of Boost.Thread there
// are. Not by BOOST_THREAD_VERSION, which would also change the classes that tandem itself links.
#ifndef TANDEM_BENCH_LIBRARIES_BOOST_THREAD_HPP
#define TANDEM_BENCH_LIBRARIES_BOOST_THREAD_HPP

#define BOOST_THREAD_PROVIDES_FUTURE
#define BOOST_THREAD_PROVIDES_FUTURE_CONTINUATION
#define BOOST_THREAD_PROVIDES_EXECUTORS
#define BOOST_THREAD_PROVIDES_SIGNATURE_PACKAGED_TASK
#define BOOST_THREAD_USES_MOVE

#include <boost/thread/executors/basic_thread_pool.hpp>
#include <boost/thread/future.hpp>
#include <type_traits>
#include <utility>

namespace libraries {

class boost_thread_pool {
 public:
  explicit boost_thread_pool(int workers) : pool_(static_cast<unsigned>(workers)) {}
  template <class F>
  auto submit(F&& f) {
    boost::packaged_task<std::invoke_result_t<std::decay_t<F>&>()> task(std::forward<F>(f));
    auto future = task.get_future();
    pool_.submit(std::move(task));
    return future;
  }
  [[nodiscard]] boost::executors::basic_thread_pool& get() { return pool_; }

 private:
  boost::executors::basic_thread_pool pool_;
};

}  // namespace libraries

#endif
