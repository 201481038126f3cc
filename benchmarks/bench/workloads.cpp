#include "bench/workloads.hpp"

namespace bench {

std::vector<workload> all_workloads(const conditions& c) {
  return {submit_get(c),
          submit_no_future(c),
          round_trip(c),
          skewed(c),
          inner_producer(c),
          as_completed(c),
          fib(c),
          skynet(c),
          nqueens(c),
          matmul(c),
          map(c),
          oversubscribed(c),
          idle(c),
          ticking(c),
          memory(c),
          process_submit_get(c),
          process_round_trip(c),
          process_map(c),
          process_echo(c),
          process_start(c),
          process_recovery(c),
          process_idle(c)};
}

}  // namespace bench
