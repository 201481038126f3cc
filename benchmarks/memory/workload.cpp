#include "memory/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::memory(const conditions& c) {
  return {.name = "memory",
          .title = "memory of 100,000 tasks that wait behind blocked workers, without their futures' handles",
          .metrics = {{"resident memory", "bytes per task"}},
          .contestants = libraries::contestants(&libraries::pool_library::memory, c),
          .reference = "tandem",
          .rounds = 3};
}
