// Which backend and how many workers to use, and why: said in words that the numbers of a comparison bear out, and
// no others. A difference within the spread is called a tie; what was not measured is not claimed.
#ifndef TANDEM_COMPARE_VERDICT_HPP
#define TANDEM_COMPARE_VERDICT_HPP

#include "measurement.hpp"

namespace compare {

/// Picks the fastest row, or one that is as good and simpler: within 5 % of it, or tied with it and within 15 %. The
/// simplest comes first of serial, thread, tbb, process; then the one with the fewest workers. inline is never
/// advised: it shows what the interface costs, and can be faster than the plain loop by chance only.
/// `all` is summarized, its serial row first.
[[nodiscard]] verdict judge(const comparison& all, int usable_cpus);

/// Whether other programs took so much of the machine that it shows in the figures.
[[nodiscard]] bool disturbed(const comparison& all);

}  // namespace compare

#endif
