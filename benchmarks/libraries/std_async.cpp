#include "libraries/std_async.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

// It has no pool that could be idle, or blocked; and a million threads would take minutes.
pool_library std_async_library() {
  return {.name = "std::async",
          .round_trip = {round_trip::measure<std_async>},
          .submit_get = {[](const bench::conditions& c) {
                           return submit_get::measure<std_async>(c, c.pick<std::size_t>(20'000, 1000), 1000);
                         },
                         "20,000 threads"},
          .ticking = {ticking::measure<std_async>}};
}

}  // namespace libraries
