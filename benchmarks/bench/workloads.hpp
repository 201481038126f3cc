// The list of all workloads: each is defined in <name>/workload.cpp and listed in workloads.cpp.
#ifndef TANDEM_BENCH_WORKLOADS_HPP
#define TANDEM_BENCH_WORKLOADS_HPP

#include <vector>

#include "bench/workload.hpp"

namespace bench {

[[nodiscard]] workload as_completed(const conditions& c);
[[nodiscard]] workload fib(const conditions& c);
[[nodiscard]] workload idle(const conditions& c);
[[nodiscard]] workload inner_producer(const conditions& c);
[[nodiscard]] workload map(const conditions& c);
[[nodiscard]] workload matmul(const conditions& c);
[[nodiscard]] workload memory(const conditions& c);
[[nodiscard]] workload nqueens(const conditions& c);
[[nodiscard]] workload oversubscribed(const conditions& c);
[[nodiscard]] workload process_echo(const conditions& c);
[[nodiscard]] workload process_idle(const conditions& c);
[[nodiscard]] workload process_map(const conditions& c);
[[nodiscard]] workload process_recovery(const conditions& c);
[[nodiscard]] workload process_round_trip(const conditions& c);
[[nodiscard]] workload process_start(const conditions& c);
[[nodiscard]] workload process_submit_get(const conditions& c);
[[nodiscard]] workload round_trip(const conditions& c);
[[nodiscard]] workload skewed(const conditions& c);
[[nodiscard]] workload skynet(const conditions& c);
[[nodiscard]] workload submit_get(const conditions& c);
[[nodiscard]] workload submit_no_future(const conditions& c);
[[nodiscard]] workload ticking(const conditions& c);

/// In the order in which they run and are shown.
[[nodiscard]] std::vector<workload> all_workloads(const conditions& c);

}  // namespace bench

#endif
