#include "idle/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::idle(const conditions& c) {
  return {.name = "idle",
          .title = "what a pool takes in 10 s in which it has nothing to do, after it has worked",
          .metrics = {{"CPU time", "ms", 0.1}, {"context switches", "in all", 10}},
          .contestants = libraries::contestants(&libraries::pool_library::idle, c),
          .reference = "tandem",
          .rounds = 3};
}
