#include "process_round_trip/workload.hpp"

#include "bench/workloads.hpp"
#include "process_pools/python.hpp"
#include "process_pools/warm_up.hpp"
#include "round_trip/workload.hpp"

namespace {

bench::figures run_tandem(const bench::conditions& c) {
  tandem::process_pool pool({.max_workers = c.workers});
  process_pools::warm_up(pool, c.workers);
  return process_round_trip::without_the_rarest(round_trip::measure_trips(c, [&pool, i = 0]() mutable {
    process_pools::check(pool.submit(process_pools::add_one, i).get() == i + 1);
    ++i;
  }));
}

}  // namespace

bench::workload bench::process_round_trip(const conditions& c) {
  using enum process_pools::python_library;
  workload work{
      .name = "process_round_trip",
      .title = "one small task for a process at a time: submit() to the return of get()",
      .metrics = {{"back to back, p50", "us"},
                  {"back to back, p99", "us"},
                  {"after 1 ms of pause, p50", "us"},
                  {"after 1 ms of pause, p99", "us"}},
      .contestants = {{"tandem", [c] { return run_tandem(c); }},
                      {"for scale: bare processes", [c] { return ::process_round_trip::run_futex(c); }}},
      .reference = "tandem",
      .rounds = 5};
  process_pools::add_python(work, c, {executor, pool, joblib, mpi4py});
  return work;
}
