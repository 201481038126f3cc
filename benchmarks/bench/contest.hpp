// A contest: several ways of doing one thing, measured in turn within one run of a program, so that whatever the
// machine does meanwhile happens to all of them. Prints where the figures come from, medians with spread, and ratios.
#ifndef TANDEM_BENCH_CONTEST_HPP
#define TANDEM_BENCH_CONTEST_HPP

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// One way of doing it.
struct rival {
  std::string name;
  /// Does it once and returns the time that it took per task, in nanoseconds.
  std::function<double()> run;
};

struct contest_options {
  int rounds = 9;  ///< In each, every contestant runs once; the one that begins changes from round to round.
};

/// Prints the machine, the compiler and, if it was given at configure time, the commit.
void print_setting();

/// Runs and prints one contest; the ratios are to the first contestant. Returns the medians, in order.
std::vector<double> run_contest(const std::string& title, const std::vector<rival>& contestants,
                                const contest_options& options);

/// Reads a positive count from the command line: `--name=value`, or `preset` if it is not there.
/// Exits with a message if it is no positive number.
long count_argument(int argc, char** argv, const std::string& name, long preset);

}  // namespace bench

#endif
