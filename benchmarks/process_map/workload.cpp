// map() of a function that is cheaper than anything that could be done about it, over ten million ints.
#include <cstddef>
#include <numeric>
#include <vector>

#include "bench/stopwatch.hpp"
#include "bench/workloads.hpp"
#include "process_pools/python.hpp"
#include "process_pools/warm_up.hpp"

namespace {

bench::figures run_tandem(const bench::conditions& c) {
  tandem::process_pool pool({.max_workers = c.workers});
  process_pools::warm_up(pool, c.workers);
  std::vector<int> inputs(c.pick<std::size_t>(10'000'000, 100'000));
  std::iota(inputs.begin(), inputs.end(), 0);
  const bench::stopwatch watch;
  const std::vector<int> results = pool.map(process_pools::add_one, inputs);
  const double time = watch.nanoseconds();
  for (std::size_t i = 0; i < inputs.size(); ++i) process_pools::check(results[i] == inputs[i] + 1);
  return {time / static_cast<double>(inputs.size())};
}

}  // namespace

bench::workload bench::process_map(const conditions& c) {
  using enum process_pools::python_library;
  workload work{
      .name = "process_map",
      .title = "map() of ten million ints by processes (Python: a million in chunks; joblib: 100,000)",
      .metrics = {{"time", "ns per item"}},
      .contestants = {{"tandem", [c] { return run_tandem(c); }}},
      .reference = "tandem",
      .rounds = 5};
  process_pools::add_python(work, c, {executor, pool, joblib, mpi4py});
  return work;
}
