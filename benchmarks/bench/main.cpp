// tandem-bench: the same small jobs done by tandem and by what else is used for them. README.md one folder up tells how
// it measures.
#include <sys/prctl.h>
#include <unistd.h>

#include <tandem/init.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/busy_work.hpp"
#include "bench/output_files.hpp"
#include "bench/runner.hpp"
#include "bench/setting.hpp"
#include "bench/table.hpp"
#include "bench/workloads.hpp"

namespace {

constexpr const char* default_page = "tandem-bench.html";

struct arguments {
  std::vector<std::string> names;
  bool list = false;
  int rounds = 0;
  unsigned seed = 1;
  bench::conditions given;
  std::string json;
  std::string page = default_page;
  bool no_page = false;
  std::string charts;
  std::string alone;
};

void declare(CLI::App& app, arguments& to) {
  app.add_option("WORKLOAD", to.names,
                 "What to run; without any, or with 'all': all (--list tells which there are)");
  app.add_flag("--list", to.list, "List workloads and contestants, and end");
  app.add_option("--rounds", to.rounds, "Times that each contestant runs (default: 3 to 9, by workload)")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", to.seed, "Draws the order of the contestants in each round")
      ->capture_default_str();
  app.add_option("--workers", to.given.workers, "Workers of each pool")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_flag("--quick", to.given.quick,
               "Little work, to see that everything runs; the figures mean nothing, and there is no page "
               "unless --page asks for one. Try it with --rounds 1");
  app.add_option("--json", to.json, "Write all samples there")->type_name("FILE");
  app.add_option("--page", to.page, "Write tables and charts there, as HTML")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_flag("--no-page", to.no_page, "Write no page");
  app.add_option("--charts", to.charts, "Write each chart there as WORKLOAD-METRIC.svg")->type_name("DIR");
  // For runner.cpp: this contestant, once, in this process.
  app.add_option("--alone", to.alone, "")->group("");
  app.add_option("--steps", to.given.steps_per_microsecond, "")->group("");
  app.footer(
      "In each round every contestant runs once, as a process of its own and in an order drawn anew. Printed "
      "are medians, how far\n"
      "the samples spread, and the ratio to the reference, which is tandem. Less is better everywhere.");
}

// In the order in which they were named, each once.
std::vector<bench::workload> chosen(const std::vector<bench::workload>& all,
                                    const std::vector<std::string>& names) {
  if (names.empty() || std::find(names.begin(), names.end(), "all") != names.end()) return all;
  std::vector<bench::workload> some;
  std::string known;
  for (const bench::workload& one : all) known += " " + one.name;
  for (const std::string& name : names) {
    const auto is_it = [&](const bench::workload& one) { return one.name == name; };
    const auto found = std::find_if(all.begin(), all.end(), is_it);
    if (found == all.end()) throw std::invalid_argument("no workload '" + name + "'; there are: all" + known);
    if (std::none_of(some.begin(), some.end(), is_it)) some.push_back(*found);
  }
  return some;
}

void print_list(const std::vector<bench::workload>& workloads) {
  for (const bench::workload& one : workloads) {
    std::printf("%s: %s\n   ", one.name.c_str(), one.title.c_str());
    for (const bench::contestant& who : one.contestants)
      std::printf("%s %s", &who == &one.contestants.front() ? "" : ",", who.name.c_str());
    for (const std::string& name : one.absent) std::printf(", not installed: %s", name.c_str());
    std::printf("\n");
  }
}

int run_all(const std::vector<bench::workload>& workloads, const arguments& asked) {
  const bench::output_files files(asked.json, asked.page, asked.charts);
  const bench::setting on = bench::describe_setting(asked.given, asked.seed);
  for (const std::string& line : bench::setting_lines(on)) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  const bool shows_progress = isatty(STDERR_FILENO) != 0;
  std::vector<bench::workload_result> results;
  bool failed = false;
  for (const bench::workload& one : workloads) {
    bench::run_options options{asked.given, asked.rounds, asked.seed, {}};
    if (shows_progress) {
      options.progress = [&](int round, int rounds, const std::string& who) {
        std::fprintf(stderr, "\r\033[K%s, round %d of %d: %s", one.name.c_str(), round, rounds, who.c_str());
      };
    }
    results.push_back(bench::run(one, options));
    if (shows_progress) std::fprintf(stderr, "\r\033[K");
    std::printf("%s", bench::table_of(results.back()).c_str());
    std::fflush(stdout);
    files.write(on, results);
    failed = failed || !results.back().failures.empty();
  }
  for (const std::string& path : files.paths()) std::fprintf(stderr, "wrote %s\n", path.c_str());
  return failed ? 1 : 0;
}

int run(arguments asked) {
  if (!asked.list && asked.given.steps_per_microsecond <= 0)
    asked.given.steps_per_microsecond = bench::measure_steps_per_microsecond();
  const std::vector<bench::workload> workloads = chosen(bench::all_workloads(asked.given), asked.names);
  if (asked.list) {
    print_list(workloads);
    return 0;
  }
  if (!asked.alone.empty()) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a broken off tandem-bench leaves nothing behind that uses CPU time
    std::printf("%s", bench::to_text(bench::run_alone(workloads.front(), asked.alone)).c_str());
    return 0;
  }
  return run_all(workloads, asked);
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  CLI::App app(
      "Measures tandem beside what else is used for the same: what a task costs, how soon it runs, what an "
      "idle pool takes.",
      "tandem-bench");
  arguments asked;
  declare(app, asked);
  CLI11_PARSE(app, argc, argv);
  // A quick run's figures must not take the place of an earlier run's.
  if (asked.no_page || (asked.given.quick && app.count("--page") == 0)) asked.page.clear();
  try {
    return run(asked);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tandem-bench: %s\n", error.what());
    return 2;
  }
}
