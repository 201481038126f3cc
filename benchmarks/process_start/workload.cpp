// What it takes to get workers: from nothing to the first result, each further worker, and a worker for each task.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

#include "bench/stopwatch.hpp"
#include "bench/workloads.hpp"
#include "process_pools/python.hpp"
#include "process_pools/warm_up.hpp"

namespace {

using process_pools::add_one;

double median_of(std::size_t runs, const std::function<double()>& run) {
  std::vector<double> all(runs);
  for (double& one : all) one = run();
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(runs / 2), all.end());
  return all[runs / 2];
}

double first_result() {
  const bench::stopwatch watch;
  tandem::process_pool pool({.max_workers = 1});
  process_pools::check(pool.submit(add_one, 1).get() == 2);
  return watch.milliseconds();
}

double until_all_work(int workers) {
  const auto begin = std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  tandem::process_pool pool({.max_workers = workers});
  return static_cast<double>(process_pools::last_of_all_to_begin(pool, workers) - begin) / 1e6;
}

double a_worker_for_each(int tasks) {
  tandem::process_pool pool({.max_workers = 1, .max_tasks_per_worker = 1});
  process_pools::check(pool.submit(add_one, 1).get() == 2);
  const bench::stopwatch watch;
  for (int i = 0; i < tasks; ++i) process_pools::check(pool.submit(add_one, i).get() == i + 1);
  return watch.milliseconds() / tasks;
}

bench::figures run_tandem(const bench::conditions& c) {
  const auto runs = c.pick<std::size_t>(21, 1);
  constexpr int more = 8;
  return {median_of(runs, first_result),
          (median_of(runs, [] { return until_all_work(1 + more); }) -
           median_of(runs, [] { return until_all_work(1); })) /
              more,
          a_worker_for_each(c.pick(100, 5))};
}

}  // namespace

bench::workload bench::process_start(const conditions& c) {
  using enum process_pools::python_library;
  workload work{.name = "process_start",
                .title = "starting worker processes",
                .metrics = {{"from nothing to the first result", "ms"},
                            {"each of 8 further workers", "ms"},
                            {"a new worker for each task, per task", "ms"}},
                .contestants = {{"tandem", [c] { return run_tandem(c); }}},
                .reference = "tandem",
                .rounds = 3};
  process_pools::add_python(work, c, {executor, pool, joblib});
  return work;
}
