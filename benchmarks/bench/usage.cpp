#include "bench/usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "compare/cpu_seconds.hpp"

namespace bench {
namespace {

usage usage_of(int who) {
  rusage all{};
  getrusage(who, &all);
  return {compare::cpu_seconds(all), static_cast<double>(all.ru_nvcsw), static_cast<double>(all.ru_nivcsw)};
}

}  // namespace

usage usage_of_process() { return usage_of(RUSAGE_SELF); }

usage usage_of_this_thread() { return usage_of(RUSAGE_THREAD); }

// Not /proc/self/statm: it is summed up lazily and may be off by some hundred pages.
double resident_bytes() {
  std::ifstream map("/proc/self/smaps_rollup");
  for (std::string word; map >> word;) {
    if (word != "Rss:") continue;
    double kibibytes = 0;
    map >> kibibytes;
    return kibibytes * 1024;
  }
  throw std::runtime_error("no Rss in /proc/self/smaps_rollup");
}

}  // namespace bench
