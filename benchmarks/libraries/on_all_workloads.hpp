// Does all workloads for pools by one class: it has a constructor with the number of workers, and submit(f), which returns
// something with get(). A library that cannot do some of them names those that it can, as libfork.cpp does.
#ifndef TANDEM_BENCH_LIBRARIES_ON_ALL_WORKLOADS_HPP
#define TANDEM_BENCH_LIBRARIES_ON_ALL_WORKLOADS_HPP

#include <string>

#include "idle/workload.hpp"
#include "inner_producer/workload.hpp"
#include "libraries/pool_library.hpp"
#include "memory/workload.hpp"
#include "oversubscribed/workload.hpp"
#include "round_trip/workload.hpp"
#include "skewed/workload.hpp"
#include "submit_get/workload.hpp"
#include "ticking/workload.hpp"

namespace libraries {

template <class Pool>
pool_library on_all_workloads(const std::string& name) {
  return {.name = name,
          .idle = {idle::measure<Pool>},
          .inner_producer = {inner_producer::measure<Pool>},
          .memory = {memory::measure<Pool>},
          .oversubscribed = {oversubscribed::measure<Pool>},
          .round_trip = {round_trip::measure<Pool>},
          .skewed = {skewed::measure<Pool>},
          .submit_get = {submit_get::measure<Pool>},
          .ticking = {ticking::measure<Pool>}};
}

}  // namespace libraries

#endif
