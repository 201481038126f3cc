#include "libraries/libfork.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

// Its tasks are coroutines that must not block a worker, and are scheduled from outside only. Fewer at a time than of
// others: each takes more than 3 KB until it has run.
pool_library libfork_library() {
  return {.name = "libfork schedule",
          .idle = {idle::measure<libfork_pool>},
          .round_trip = {round_trip::measure<libfork_pool>},
          .submit_get = {[](const bench::conditions& c) {
                           return submit_get::measure<libfork_pool>(c, c.pick<std::size_t>(200'000, 10'000),
                                                                    50'000);
                         },
                         "50,000 at a time"},
          .ticking = {ticking::measure<libfork_pool>}};
}

}  // namespace libraries
