#include "skewed/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::skewed(const conditions& c) {
  return {.name = "skewed",
          .title =
              "1000 tasks from 10 us to 1 ms (log-uniform), in random order; a good pool takes at most "
              "1.03 times the ideal",
          .metrics = {{"makespan by ideal", "times ideal"}},
          .contestants = libraries::contestants(&libraries::pool_library::skewed, c),
          .reference = "tandem"};
}
