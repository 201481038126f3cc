#include "submit_get/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::submit_get(const conditions& c) {
  return {.name = "submit_get",
          .title = "empty tasks submitted from outside, their futures collected",
          .metrics = {{"batch, 1 producer", "ns per task"},
                      {"windows of 1000, 1 producer", "ns per task"},
                      {"batch, 2 producers", "ns per task"},
                      {"batch, 4 producers", "ns per task"},
                      {"first batch of the process, 1 producer", "ns per task"}},
          .contestants = libraries::contestants(&libraries::pool_library::submit_get, c),
          .reference = "tandem"};
}
