#include "skynet/workload.hpp"

#include "bench/workloads.hpp"

bench::workload bench::skynet(const conditions& c) {
  using namespace ::skynet;
  return {.name = "skynet",
          .title = "a tree of tasks, ten children each, a million leaves",
          .metrics = {{"time", "ms"}},
          .contestants =
              {
                  {"tandem parallel_invoke", [c] { return run_tandem_invoke(c); }},
                  {"tandem task_group", [c] { return run_tandem_group(c); }},
                  {"oneTBB task_group", [c] { return run_onetbb_group(c); }},
                  {"oneTBB parallel_invoke", [c] { return run_onetbb_invoke(c); }},
#ifdef TANDEM_BENCH_TASKFLOW
                  {"Taskflow TaskGroup", [c] { return run_taskflow(c); }},
#endif
#ifdef TANDEM_BENCH_LIBFORK
                  {"libfork", [c] { return run_libfork(c); }},
#endif
                  {"serial, one thread", [c] { return run_serial(c); }},
              },
          .reference = "tandem parallel_invoke",
          .rounds = 9};
}
