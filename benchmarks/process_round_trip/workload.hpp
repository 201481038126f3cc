// submit() to the return of get(), one task at a time, as in round_trip; and two processes with nothing but a futex between them.
#ifndef TANDEM_BENCH_PROCESS_ROUND_TRIP_WORKLOAD_HPP
#define TANDEM_BENCH_PROCESS_ROUND_TRIP_WORKLOAD_HPP

#include "bench/workload.hpp"

namespace process_round_trip {

using bench::figures;

figures run_futex(const bench::conditions& c);

/// round_trip's figures but the p99.9: Python's pools make too few trips for one.
inline figures without_the_rarest(figures all) {
  all.erase(all.begin() + 2);
  return all;
}

}  // namespace process_round_trip

#endif
