#include "matmul/workload.hpp"

#include "bench/workloads.hpp"

bench::workload bench::matmul(const conditions& c) {
  using namespace ::matmul;
  return {.name = "matmul",
          .title = "the product of two 1024 x 1024 matrices of integers, divided down to 64 x 64",
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
          .rounds = 5};
}
