#include "nqueens/workload.hpp"

#include "bench/workloads.hpp"

bench::workload bench::nqueens(const conditions& c) {
  using namespace ::nqueens;
  return {.name = "nqueens",
          .title = "all ways to place 11 queens, a task for each safe place of the next",
          .metrics = {{"time", "ms"}},
          .contestants =
              {
                  {"tandem task_group", [c] { return run_tandem_group(c); }},
                  {"oneTBB task_group", [c] { return run_onetbb_group(c); }},
#ifdef TANDEM_BENCH_TASKFLOW
                  {"Taskflow TaskGroup", [c] { return run_taskflow(c); }},
#endif
#ifdef TANDEM_BENCH_LIBFORK
                  {"libfork", [c] { return run_libfork(c); }},
#endif
                  {"serial, one thread", [c] { return run_serial(c); }},
              },
          .reference = "tandem task_group",
          .rounds = 9};
}
