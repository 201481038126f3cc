#include "libraries/taskflow.hpp"
#include "submit_no_future/workload.hpp"

namespace submit_no_future {
figures run_taskflow(const bench::conditions& c) {
  bench::warm<libraries::taskflow_pool> pool(c.workers);
  return measure(c, [&](std::size_t tasks) {
    for (std::size_t i = 0; i < tasks; ++i) pool.get().silent_async([] {});
    pool.get().wait_for_all();
  });
}

}  // namespace submit_no_future
