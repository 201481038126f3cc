#include "oversubscribed/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::oversubscribed(const conditions& c) {
  return {.name = "oversubscribed",
          .title = "100,000 tasks of 5 us on 8 times as many workers as CPUs",
          .metrics = {{"by the time with a worker per CPU", "times"},
                      {"time", "ms"},
                      {"time with a worker per CPU", "ms"}},
          .contestants = libraries::contestants(&libraries::pool_library::oversubscribed, c),
          .reference = "tandem",
          .rounds = 5};
}
