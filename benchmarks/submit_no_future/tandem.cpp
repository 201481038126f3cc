#include "libraries/tandem.hpp"
#include "submit_no_future/workload.hpp"

namespace submit_no_future {
figures run_tandem_post(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure_to_the_end(
      c, [&](auto task) { pool.get().post(task); }, [&] { pool.get().shutdown(); });
}

figures run_tandem_submit(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(c, [&](std::size_t tasks) {
    std::vector<tandem::future<void>> futures;
    futures.reserve(tasks);
    for (std::size_t i = 0; i < tasks; ++i) futures.push_back(pool.submit([] {}));
    for (auto& future : futures) future.get();
  });
}

}  // namespace submit_no_future
