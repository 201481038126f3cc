#include "fib/workload.hpp"

#include "bench/workloads.hpp"

bench::workload bench::fib(const conditions& c) {
  using namespace ::fib;
  return {.name = "fib",
          .title = "fib(32) by recursion, a fork and a join in each call",
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
