// Where the figures come from: machine, compiler, build, commit, and the versions of everything that is measured.
#ifndef TANDEM_BENCH_SETTING_HPP
#define TANDEM_BENCH_SETTING_HPP

#include <string>
#include <vector>

#include "bench/workload.hpp"
#include "compare/machine.hpp"
#include "libraries/versions.hpp"

namespace bench {

struct setting {
  compare::machine machine;
  std::string flags;  ///< Of the compiler, for all that is compiled here: header-only libraries too.
  std::string libc;
  std::vector<libraries::version> libraries;
  conditions given;
  unsigned seed = 1;
};

[[nodiscard]] setting describe_setting(const conditions& given, unsigned seed);

/// What stands above all tables.
[[nodiscard]] std::vector<std::string> setting_lines(const setting& on);

}  // namespace bench

#endif
