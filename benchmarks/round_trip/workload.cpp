#include "round_trip/workload.hpp"

#include "bench/workloads.hpp"
#include "libraries/pool_library.hpp"

bench::workload bench::round_trip(const conditions& c) {
  workload work{.name = "round_trip",
                .title = "one empty task at a time: submit() to the return of get()",
                .metrics = {{"back to back, p50", "us"},
                            {"back to back, p99", "us"},
                            {"back to back, p99.9", "us"},
                            {"after 1 ms of pause, p50", "us"},
                            {"after 1 ms of pause, p99", "us"}},
                .contestants = libraries::contestants(&libraries::pool_library::round_trip, c),
                .reference = "tandem",
                .rounds = 5};
  work.contestants.push_back({"for scale: bare threads", [c] { return ::round_trip::run_futex(c); }});
  return work;
}
