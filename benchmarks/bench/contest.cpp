#include "bench/contest.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "compare/statistics.hpp"

#ifndef TANDEM_BENCH_COMMIT
#define TANDEM_BENCH_COMMIT ""
#endif
#ifndef TANDEM_BENCH_BUILD
#define TANDEM_BENCH_BUILD ""
#endif

namespace bench {
namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

}  // namespace

void print_setting() {
  utsname kernel{};
  uname(&kernel);
  std::printf("%s, %ld CPUs, %s %s\n", cpu_model().c_str(), sysconf(_SC_NPROCESSORS_ONLN), kernel.sysname,
              kernel.release);
#if defined(__clang__)
  std::printf("clang %s", __clang_version__);
#else
  std::printf("gcc %s", __VERSION__);
#endif
  std::printf(" %s%s%s\n", TANDEM_BENCH_BUILD, *TANDEM_BENCH_COMMIT != 0 ? ", commit " : "",
              TANDEM_BENCH_COMMIT);
}

std::vector<double> run_contest(const std::string& title, const std::vector<rival>& contestants,
                                const contest_options& options) {
  const std::size_t n = contestants.size();
  std::vector<std::vector<double>> times(n);
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t who = (static_cast<std::size_t>(round) + i) % n;
      times[who].push_back(contestants[who].run());
    }
  }
  std::printf("\n%s: ns per task, median of %d interleaved rounds [%s], best; ratio to %s\n", title.c_str(),
              options.rounds, compare::summarize(times.front()).range_name(),
              contestants.front().name.c_str());
  std::vector<double> medians;
  for (std::size_t i = 0; i < n; ++i) {
    const compare::spread s = compare::summarize(times[i]);
    medians.push_back(s.median);
    std::printf("  %-34s %9.1f  [%8.1f - %8.1f]  best %8.1f   %6.2fx\n", contestants[i].name.c_str(),
                s.median, s.low, s.high, *std::min_element(times[i].begin(), times[i].end()),
                s.median / medians.front());
  }
  std::fflush(stdout);
  return medians;
}

long count_argument(int argc, char** argv, const std::string& name, long preset) {
  const std::string prefix = "--" + name + "=";
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    if (text.rfind(prefix, 0) != 0) continue;
    char* end = nullptr;
    const long value = std::strtol(text.c_str() + prefix.size(), &end, 10);
    if (*end == 0 && value > 0) return value;
    std::fprintf(stderr, "%s: %s needs a positive number\n", argv[0], text.c_str());
    std::exit(2);
  }
  return preset;
}

}  // namespace bench
