// A task that submits to the pool that runs it, and waits there: with futures, and with what a library has for tasks that are
// waited for together. Two workers at least, for in some libraries a worker that waits in get() does nothing else.
#ifndef TANDEM_BENCH_INNER_PRODUCER_WORKLOAD_HPP
#define TANDEM_BENCH_INNER_PRODUCER_WORKLOAD_HPP

#include <algorithm>
#include <cstddef>
#include <vector>

#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace inner_producer {

using bench::figures;

figures run_onetbb_group(const bench::conditions& c);
figures run_tandem_group(const bench::conditions& c);
figures run_taskflow_group(const bench::conditions& c);

/// ns per task. `produce(pool, count)` submits and waits, in a task of the pool.
template <class Pool, class Produce>
figures measure_with(const bench::conditions& c, Produce produce) {
  const std::size_t tasks = c.pick<std::size_t>(200'000, 2000);
  bench::warm<Pool> pool(std::max(c.workers, 2));
  pool.submit([&] { produce(pool, tasks); }).get();  // their memory comes from the kernel
  const bench::stopwatch watch;
  pool.submit([&] { produce(pool, tasks); }).get();
  return {watch.nanoseconds() / static_cast<double>(tasks)};
}

template <class Pool>
figures measure(const bench::conditions& c) {
  return measure_with<Pool>(c, [](Pool& pool, std::size_t count) {
    std::vector<decltype(pool.submit([] {}))> futures;
    futures.reserve(count);
    for (std::size_t i = 0; i < count; ++i) futures.push_back(pool.submit([] {}));
    for (auto& future : futures) future.get();
  });
}

/// By a class with run() and wait().
template <class Pool, class Group>
figures measure_group(const bench::conditions& c) {
  return measure_with<Pool>(c, [](Pool& /*pool*/, std::size_t count) {
    Group group;
    for (std::size_t i = 0; i < count; ++i) group.run([] {});
    group.wait();
  });
}

}  // namespace inner_producer

#endif
