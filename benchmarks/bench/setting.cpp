#include "bench/setting.hpp"

#include <gnu/libc-version.h>

#include "compare/backend.hpp"
#include "compare/format.hpp"

namespace bench {

setting describe_setting(const conditions& given, unsigned seed) {
  return {compare::describe_machine(compare::usable_cpus()),
          TANDEM_BENCH_FLAGS,
          std::string("glibc ") + gnu_get_libc_version(),
          libraries::versions(),
          given,
          seed};
}

std::vector<std::string> setting_lines(const setting& on) {
  std::vector<std::string> lines = compare::machine_lines(on.machine);
  lines.push_back("compiled with " + on.flags + "; " + on.libc +
                  "; oneTBB and Boost.Thread are shared libraries, compiled as the system's packages are");
  std::string others = "contestants: ";
  for (const libraries::version& one : on.libraries) {
    if (&one != &on.libraries.front()) others += ", ";
    others += one.library + " " + one.number;
  }
  lines.push_back(others);
  lines.push_back(compare::counted(on.given.workers, "worker", "workers") + ", order by seed " +
                  std::to_string(on.seed) + ", " + on.machine.date +
                  (on.given.quick ? "; QUICK: the figures mean nothing" : ""));
  if (on.machine.build_type != "Release")
    lines.push_back("WARNING: this is no Release build; its figures say nothing about one");
  return lines;
}

}  // namespace bench
