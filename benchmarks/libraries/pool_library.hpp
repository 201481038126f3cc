// A library that has a pool, as the workloads for pools see it: its name, and what it does in each of them. Data only;
// on_all_workloads.hpp fills it in, <library>.cpp names it, and pool_library.cpp lists those that were built in.
#ifndef TANDEM_BENCH_LIBRARIES_POOL_LIBRARY_HPP
#define TANDEM_BENCH_LIBRARIES_POOL_LIBRARY_HPP

#include <string>
#include <vector>

#include "bench/workload.hpp"

namespace libraries {

/// A library's part in one workload; no `run` where it takes no part.
struct part {
  bench::figures (*run)(const bench::conditions& c) = nullptr;
  std::string remark = {};  ///< What is different for it, behind its name.
};

struct pool_library {
  std::string name;
  part idle = {};
  part inner_producer = {};
  part memory = {};
  part oversubscribed = {};
  part round_trip = {};
  part skewed = {};
  part submit_get = {};
  part ticking = {};
};

pool_library asio_library();
pool_library boost_thread_library();
pool_library bs_thread_pool_library();
pool_library libfork_library();
pool_library onetbb_library();
pool_library std_async_library();
pool_library tandem_library();
pool_library taskflow_library();

/// What this program was built with, tandem first.
[[nodiscard]] std::vector<pool_library> pool_libraries();

/// Everyone who takes part in a workload: contestants(&pool_library::idle, c).
[[nodiscard]] std::vector<bench::contestant> contestants(part pool_library::*workload,
                                                         const bench::conditions& c);

}  // namespace libraries

#endif
