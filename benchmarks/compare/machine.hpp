// Where the numbers come from: machine, compiler, build and commit. A figure without them cannot be compared
// with another. Reads only; nothing here is measured.
#ifndef TANDEM_COMPARE_MACHINE_HPP
#define TANDEM_COMPARE_MACHINE_HPP

#include <string>
#include <vector>

namespace compare {

/// Empty strings where the system does not tell.
struct machine {
  std::string cpu;  ///< Model name.
  int cpus_usable = 0;
  int cpus_online = 0;
  double memory_bytes = 0;
  std::string kernel;      ///< "Linux 6.1.0 x86_64".
  std::string compiler;    ///< "GCC 12.2.0".
  std::string build_type;  ///< "Release".
  std::string version;     ///< Of tandem.
  std::string commit;      ///< Short hash, "+" after it if the tree had changes when the tool was built.
  std::string boost;
  std::string tbb;   ///< The oneTBB that runs, which may be newer than the one compiled against.
  std::string date;  ///< UTC, ISO 8601.
};

[[nodiscard]] machine describe_machine(int usable_cpus);

/// The two lines that stand above all tables.
[[nodiscard]] std::vector<std::string> machine_lines(const machine& on);

}  // namespace compare

#endif
