#include <oneapi/tbb/task_group.h>

#include "libraries/onetbb.hpp"
#include "submit_no_future/workload.hpp"

namespace submit_no_future {

// The caller is one of the workers: it must be in the arena for a group, and helps in wait().
figures run_onetbb_group(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(c, [&](std::size_t tasks) {
    arena.run([&] {
      tbb::task_group group;
      for (std::size_t i = 0; i < tasks; ++i) group.run([] {});
      group.wait();
    });
  });
}

figures run_onetbb_enqueue(const bench::conditions& c) {
  bench::warm<libraries::onetbb_pool> pool(c.workers);
  return measure(
      c, [&](std::size_t tasks) { submit_counted(tasks, [&](auto task) { pool.get().enqueue(task); }); });
}

}  // namespace submit_no_future
