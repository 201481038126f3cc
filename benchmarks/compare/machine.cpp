#include "machine.hpp"

#include <sys/utsname.h>
#include <tbb/version.h>
#include <unistd.h>

#include <array>
#include <boost/version.hpp>
#include <ctime>
#include <fstream>
#include <tandem/config.hpp>

#include "commit.hpp"
#include "format.hpp"

namespace compare {
namespace {

// "model name" is x86's; other processors have no name there.
std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::string kernel() {
  utsname name{};
  if (uname(&name) != 0) return {};
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> text{};
  gmtime_r(&now, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string dotted(int a, int b, int c) {
  return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c);
}

}  // namespace

machine describe_machine(int usable_cpus) {
  machine on;
  on.cpu = cpu_model();
  on.cpus_usable = usable_cpus;
  on.cpus_online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  on.memory_bytes = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  on.kernel = kernel();
  on.compiler = compiler();
  on.build_type = TANDEM_COMPARE_BUILD_TYPE;
  on.version = TANDEM_VERSION;
  on.commit = TANDEM_COMPARE_COMMIT;
  on.boost = dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
  on.tbb = TBB_runtime_version();
  on.date = now_utc();
  return on;
}

std::vector<std::string> machine_lines(const machine& on) {
  std::string where = on.cpu.empty() ? "unknown CPU" : on.cpu;
  where +=
      ", " + counted(on.cpus_usable, "usable CPU", "usable CPUs") + " of " + std::to_string(on.cpus_online);
  where += ", " + bytes(on.memory_bytes) + ", " + on.kernel;
  std::string what = "tandem " + on.version;
  if (!on.commit.empty()) what += " (" + on.commit + ")";
  what += ", " + on.compiler + " " + on.build_type + ", Boost " + on.boost + ", oneTBB " + on.tbb;
  return {where, what};
}

}  // namespace compare
