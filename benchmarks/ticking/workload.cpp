#include "ticking/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::ticking(const conditions& c) {
  return {.name = "ticking",
          .title = "an empty task each millisecond for 5 s: what it takes more than the sleeping alone",
          .metrics = {{"CPU time", "us per task", 0.1}, {"context switches", "per task", 0.01}},
          .contestants = libraries::contestants(&libraries::pool_library::ticking, c),
          .reference = "tandem",
          .rounds = 3};
}
