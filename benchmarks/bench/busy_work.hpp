// Work that takes CPU time and nothing else. Counted in steps, not by a clock: a clock would go on while another thread
// has the CPU, and two tasks that share one CPU would look as quick as on two.
#ifndef TANDEM_BENCH_BUSY_WORK_HPP
#define TANDEM_BENCH_BUSY_WORK_HPP

#include <cstdint>

namespace bench {

/// Does `steps` steps, each of which waits for the one before.
void busy_work(std::int64_t steps);

/// Measures how many steps take about a microsecond here; takes some milliseconds.
[[nodiscard]] double measure_steps_per_microsecond();

}  // namespace bench

#endif
