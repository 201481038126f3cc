#include "inner_producer/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::inner_producer(const conditions& c) {
  using namespace ::inner_producer;
  workload work{.name = "inner_producer",
                .title = "a task submits 200,000 tasks to its own pool and waits for them all",
                .metrics = {{"submit and wait by a worker", "ns per task"}},
                .contestants = libraries::contestants(&libraries::pool_library::inner_producer, c),
                .reference = "tandem"};
  work.contestants.push_back({"tandem task_group", [c] { return run_tandem_group(c); }});
  work.contestants.push_back({"oneTBB task_group", [c] { return run_onetbb_group(c); }});
#ifdef TANDEM_BENCH_TASKFLOW
  work.contestants.push_back({"Taskflow TaskGroup", [c] { return run_taskflow_group(c); }});
#endif
  return work;
}
