// A million small tasks and their futures: all submitted, then all collected. Python does 20,000.
#include <cstddef>
#include <vector>

#include "bench/stopwatch.hpp"
#include "bench/workloads.hpp"
#include "process_pools/python.hpp"
#include "process_pools/warm_up.hpp"

namespace {

using process_pools::add_one;

template <class Run>
bench::figures measure(const bench::conditions& c, Run run) {
  tandem::process_pool pool({.max_workers = c.workers});
  process_pools::warm_up(pool, c.workers);
  const int tasks = c.pick(1'000'000, 10'000);
  const bench::stopwatch watch;
  const long sum = run(pool, tasks);
  const double time = watch.nanoseconds();
  process_pools::check(sum == static_cast<long>(tasks) * (tasks + 1) / 2);
  return {time / tasks};
}

bench::figures run_tandem(const bench::conditions& c) {
  return measure(c, [](tandem::process_pool& pool, int tasks) {
    std::vector<tandem::future<int>> futures;
    futures.reserve(static_cast<std::size_t>(tasks));
    for (int i = 0; i < tasks; ++i) futures.push_back(pool.submit(add_one, i));
    long sum = 0;
    for (auto& future : futures) sum += future.get();
    return sum;
  });
}

bench::figures run_tandem_in_windows(const bench::conditions& c) {
  return measure(c, [](tandem::process_pool& pool, int tasks) {
    constexpr int window = 1000;
    std::vector<tandem::future<int>> futures;
    futures.reserve(window);
    long sum = 0;
    for (int done = 0; done < tasks; done += window) {
      for (int i = done; i < done + window; ++i) futures.push_back(pool.submit(add_one, i));
      for (auto& future : futures) sum += future.get();
      futures.clear();
    }
    return sum;
  });
}

}  // namespace

bench::workload bench::process_submit_get(const conditions& c) {
  using enum process_pools::python_library;
  workload work{
      .name = "process_submit_get",
      .title =
          "a million small tasks for processes, and their results (Python: 20,000; Pool by imap_unordered)",
      .metrics = {{"submit and get", "ns per task"}},
      .contestants = {{"tandem", [c] { return run_tandem(c); }},
                      {"tandem, windows of 1000", [c] { return run_tandem_in_windows(c); }}},
      .reference = "tandem",
      .rounds = 5};
  process_pools::add_python(work, c, {executor, pool, joblib, mpi4py});
  return work;
}
