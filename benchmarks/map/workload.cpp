#include "map/workload.hpp"

#include "bench/workloads.hpp"

bench::workload bench::map(const conditions& c) {
  using namespace ::map;
  return {
      .name = "map",
      .title = "a cheap function of each of 10 million numbers: into a vector that is there, or making one",
      .metrics = {{"time", "ns per item"}, {"overhead of all workers together", "ns per item", 0.02}},
      .contestants =
          {
              {"tandem map, makes a vector", [c] { return run_tandem_map(c); }},
              {"serial loop, makes a vector", [c] { return run_serial_making(c); }},
              {"tandem parallel_for", [c] { return run_tandem_for(c); }},
              {"oneTBB parallel_for", [c] { return run_onetbb_for(c); }},
              {"serial loop", [c] { return run_serial(c); }},
          },
      .reference = "tandem parallel_for"};
}
