#include <tandem/as_completed.hpp>

#include <vector>

#include "as_completed/workload.hpp"
#include "libraries/tandem.hpp"

namespace as_completed {
namespace {

template <class Collect>
figures measure(const bench::conditions& c, Collect collect) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  const auto run = [&](std::size_t tasks) {
    std::vector<tandem::future<void>> futures;
    futures.reserve(tasks);
    for (std::size_t i = 0; i < tasks; ++i) futures.push_back(pool.submit([] {}));
    collect(futures);
  };
  run(1000);
  const std::size_t tasks = count(c);
  const bench::stopwatch watch;
  run(tasks);
  return {watch.nanoseconds() / static_cast<double>(tasks)};
}

}  // namespace

figures run_tandem(const bench::conditions& c) {
  return measure(c, [](std::vector<tandem::future<void>>& futures) {
    for (auto& future : tandem::as_completed(futures)) future.get();
  });
}

figures run_tandem_in_order(const bench::conditions& c) {
  return measure(c, [](std::vector<tandem::future<void>>& futures) {
    for (auto& future : futures) future.get();
  });
}

}  // namespace as_completed
