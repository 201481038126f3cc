// Which backend and how many workers to use, and why: said in words that the numbers of a comparison bear out, and
// no others. A difference within the spread is called a tie; what was not measured is not claimed.
#ifndef TANDEM_COMPARE_VERDICT_HPP
#define TANDEM_COMPARE_VERDICT_HPP

#include "measurement.hpp"

namespace compare {

/// Picks the fastest row; of those that tie with it and are at most 15 % slower, the simplest (serial, inline,
/// thread, tbb, process) with the fewest workers. `all` is summarized, its serial row first.
[[nodiscard]] verdict judge(const comparison& all, int usable_cpus);

}  // namespace compare

#endif
