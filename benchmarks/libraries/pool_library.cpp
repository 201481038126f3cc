#include "libraries/pool_library.hpp"

namespace libraries {

std::vector<pool_library> pool_libraries() {
  return {
      tandem_library(),         onetbb_library(), asio_library(), boost_thread_library(), std_async_library(),
#ifdef TANDEM_BENCH_TASKFLOW
      taskflow_library(),
#endif
#ifdef TANDEM_BENCH_BS_THREAD_POOL
      bs_thread_pool_library(),
#endif
#ifdef TANDEM_BENCH_LIBFORK
      libfork_library(),
#endif
  };
}

std::vector<bench::contestant> contestants(part pool_library::*workload, const bench::conditions& c) {
  std::vector<bench::contestant> all;
  for (const pool_library& one : pool_libraries()) {
    const part& in = one.*workload;
    if (in.run == nullptr) continue;
    all.push_back(
        {one.name + (in.remark.empty() ? "" : ", " + in.remark), [run = in.run, c] { return run(c); }});
  }
  return all;
}

}  // namespace libraries
