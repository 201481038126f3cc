#include "libraries/boost_thread.hpp"

#include "submit_no_future/workload.hpp"

namespace submit_no_future {

figures run_boost_thread(const bench::conditions& c) {
  bench::warm<libraries::boost_thread_pool> pool(c.workers);
  return measure(
      c, [&](std::size_t tasks) { submit_counted(tasks, [&](auto task) { pool.get().submit(task); }); });
}

}  // namespace submit_no_future
