#include "submit_no_future/workload.hpp"

#include "bench/workloads.hpp"

bench::workload bench::submit_no_future(const conditions& c) {
  using namespace ::submit_no_future;
  return {.name = "submit_no_future",
          .title = "a million empty tasks without futures, and the wait until all have run",
          .metrics = {{"batch, 1 producer", "ns per task"}},
          .contestants =
              {
                  {"tandem post", [c] { return run_tandem_post(c); }},
                  {"tandem submit, with futures", [c] { return run_tandem_submit(c); }},
                  {"oneTBB task_group::run", [c] { return run_onetbb_group(c); }},
                  {"oneTBB enqueue, counted", [c] { return run_onetbb_enqueue(c); }},
                  {"Boost.Asio post", [c] { return run_asio(c); }},
                  {"Boost.Thread submit, counted", [c] { return run_boost_thread(c); }},
#ifdef TANDEM_BENCH_TASKFLOW
                  {"Taskflow silent_async", [c] { return run_taskflow(c); }},
#endif
#ifdef TANDEM_BENCH_BS_THREAD_POOL
                  {"BS::thread_pool detach_task", [c] { return run_bs_thread_pool(c); }},
#endif
              },
          .reference = "tandem post"};
}
