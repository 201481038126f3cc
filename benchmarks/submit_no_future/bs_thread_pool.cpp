#include "libraries/bs_thread_pool.hpp"
#include "submit_no_future/workload.hpp"

namespace submit_no_future {
figures run_bs_thread_pool(const bench::conditions& c) {
  bench::warm<libraries::bs_thread_pool> pool(c.workers);
  return measure(c, [&](std::size_t tasks) {
    for (std::size_t i = 0; i < tasks; ++i) pool.get().detach_task([] {});
    pool.get().wait();
  });
}

}  // namespace submit_no_future
