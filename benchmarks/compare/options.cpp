#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <tandem/config.hpp>

#include "format.hpp"

namespace compare {
namespace {

namespace fs = std::filesystem;

constexpr int most_workers = 1024;
constexpr double longest_wait_ms = 600'000;

constexpr const char* headline =
    R"(Runs the same work in a plain loop, in place, on threads, on processes and on oneTBB, checks that all
give the same results, and says which to use, with how many workers, and why. Defaults are in parentheses.)";

constexpr const char* details = R"(Workloads:
  fib    CPU-bound: fib(25) ... fib(34), one task each
  words  CPU-bound: count the words of every file below --dir and merge the counts
  sleep  IO-bound: 30 tasks that wait for --delay
  http   IO-bound: fetch --pages pages from a server on loopback that takes --latency for each

Columns:
  time        median of the runs; +/- half of the distance between the quartiles (below 5 runs: of all)
  speed-up    the serial median over this one; efficiency is speed-up over workers
  CPU         seconds of processor used by this process and its worker processes
  peak        most memory resident at once, summed over the same processes
  start       creating the executor and getting a first trivial result; not part of time

Exit code: 0 all results agree; 1 they do not, or a task failed; 2 the request was wrong.

Examples:
  tandem-compare --quick
  tandem-compare --workload fib --backend thread --backend process --workers 1,2,4
  tandem-compare --workload words --dir /usr/share/doc --html report.html --json report.json)";

// What CLI11 fills in: everything as the user wrote it, so that "not given" can be told from "given".
struct raw_options {
  std::vector<std::string> workloads;
  std::vector<std::string> backends;
  std::vector<int> workers;
  int repeat = 0;
  bool quick = false;
  std::string directory;
  double delay_ms = 0;
  int pages = 0;
  double latency_ms = 0;
  std::string json_file;
  std::string html_file;
};

CLI::Validator one_of(const std::vector<std::string>& names, const char* what) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  auto check = [names, list, what](std::string& text) -> std::string {
    if (std::find(names.begin(), names.end(), text) != names.end()) return {};
    return std::string("no ") + what + " is called '" + text + "'; there is " + list;
  };
  return {check, ""};
}

CLI::Validator whole_number(int least, int most, const char* what) {
  auto check = [least, most, what](std::string& text) -> std::string {
    int value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return {};
    return "'" + text + "' is not a number of " + what + " from " + std::to_string(least) + " to " +
           std::to_string(most);
  };
  return {check, ""};
}

CLI::Validator milliseconds() {
  auto check = [](std::string& text) -> std::string {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= 0 && value <= longest_wait_ms) return {};
    return "'" + text + "' is not a number of milliseconds from 0 to " + fixed(longest_wait_ms, 0);
  };
  return {check, ""};
}

void declare(CLI::App& app, raw_options& raw) {
  app.add_option("--workload", raw.workloads, "What to run: fib, words, sleep, http; repeatable (all)")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(one_of(workload_names(), "workload"));
  app.add_option("--backend", raw.backends, "Where to run it: inline, thread, process, tbb; repeatable (all)")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(one_of(backend_names(), "backend"));
  app.add_option("--workers", raw.workers,
                 "Numbers of workers to try, as in 1,2,4 (1,2,3 and on to the usable CPUs)")
      ->type_name("N")
      ->delimiter(',')
      ->check(whole_number(1, most_workers, "workers"));
  app.add_option("--repeat", raw.repeat, "Runs of each, whose median is shown (5)")
      ->type_name("N")
      ->check(whole_number(1, 1000, "runs"));
  app.add_flag("--quick", raw.quick, "Fewer files and shorter waits: seconds, not minutes");
  app.add_option("--dir", raw.directory, "words: the directory to read (/usr/include)")
      ->type_name("DIR")
      ->group("Inputs");
  app.add_option("--delay", raw.delay_ms, "sleep: how long each task waits (25; with --quick 5)")
      ->type_name("MS")
      ->check(milliseconds())
      ->group("Inputs");
  app.add_option("--pages", raw.pages, "http: how many pages to fetch (30)")
      ->type_name("N")
      ->check(whole_number(1, 100'000, "pages"))
      ->group("Inputs");
  app.add_option("--latency", raw.latency_ms,
                 "http: how long the server takes for a page (25; with --quick 5)")
      ->type_name("MS")
      ->check(milliseconds())
      ->group("Inputs");
  app.add_option("--json", raw.json_file, "Write every run and what follows from it to FILE")
      ->type_name("FILE")
      ->group("Reports");
  app.add_option("--html", raw.html_file, "Write a page with charts to FILE; it needs no network")
      ->type_name("FILE")
      ->group("Reports");
}

// The given names in the canonical order, each once; all if none were given.
std::vector<std::string> chosen(const std::vector<std::string>& all, const std::vector<std::string>& given) {
  if (given.empty()) return all;
  std::vector<std::string> picked;
  for (const std::string& name : all) {
    if (std::find(given.begin(), given.end(), name) != given.end()) picked.push_back(name);
  }
  return picked;
}

std::vector<int> ascending(std::vector<int> counts) {
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

std::chrono::microseconds from_ms(double ms) {
  return std::chrono::round<std::chrono::microseconds>(std::chrono::duration<double, std::milli>(ms));
}

// Throws CLI::ValidationError, so that all wrong requests are reported in one place.
void require_readable(const fs::path& directory) {
  std::error_code failure;
  if (!fs::is_directory(directory, failure)) {
    throw CLI::ValidationError("--dir", "'" + directory.string() + "' is not a directory" +
                                            (failure ? " (" + failure.message() + ")" : std::string()));
  }
  const fs::directory_iterator entries(directory, failure);
  if (failure)
    throw CLI::ValidationError("--dir", "cannot read '" + directory.string() + "': " + failure.message());
}

void require_writable(const char* option, const std::string& file) {
  std::error_code ignored;
  const bool existed = fs::exists(file, ignored);
  errno = 0;
  const bool writable = std::ofstream(file, std::ios::app).is_open();
  const int reason = errno;
  if (!writable) {
    throw CLI::ValidationError(option,
                               "cannot write '" + file + "': " + std::generic_category().message(reason));
  }
  if (!existed) fs::remove(file, ignored);  // the run may still fail; leave no empty report behind
}

options complete(const CLI::App& app, const raw_options& raw, int usable_cpus) {
  const auto given = [&app](const char* name) { return app.count(name) > 0; };
  options wanted;
  wanted.quick = raw.quick;
  if (raw.quick) {
    wanted.directory_limit = std::uintmax_t{24} << 20;
    wanted.delay = wanted.latency = std::chrono::milliseconds(5);
  }
  wanted.workloads = chosen(workload_names(), raw.workloads);
  wanted.backends = chosen(backend_names(), raw.backends);
  wanted.workers = raw.workers.empty() ? default_worker_counts(usable_cpus) : ascending(raw.workers);
  if (given("--repeat")) wanted.repeat = raw.repeat;
  if (given("--dir")) wanted.directory = raw.directory;
  if (given("--delay")) wanted.delay = from_ms(raw.delay_ms);
  if (given("--pages")) wanted.pages = raw.pages;
  if (given("--latency")) wanted.latency = from_ms(raw.latency_ms);
  wanted.json_file = raw.json_file;
  wanted.html_file = raw.html_file;

  const auto& loads = wanted.workloads;
  if (std::find(loads.begin(), loads.end(), "words") != loads.end()) require_readable(wanted.directory);
  if (given("--json")) require_writable("--json", wanted.json_file);
  if (given("--html")) require_writable("--html", wanted.html_file);
  return wanted;
}

// The first line only: CLI11 adds hints of its own below it.
std::string one_line(const std::string& message) { return message.substr(0, message.find('\n')); }

}  // namespace

const std::vector<std::string>& workload_names() {
  static const std::vector<std::string> names{"fib", "words", "sleep", "http"};
  return names;
}

const std::vector<std::string>& backend_names() {
  static const std::vector<std::string> names{"inline", "thread", "process", "tbb"};
  return names;
}

std::vector<int> default_worker_counts(int usable_cpus) {
  std::vector<int> counts{1, 2, 3};  // 3 is the worker count of the classic threads-against-processes table
  for (int n = 4; n < usable_cpus; n *= 2) counts.push_back(n);
  if (usable_cpus > 3) counts.push_back(usable_cpus);
  return counts;
}

std::variant<options, early_exit> parse_options(int argc, const char* const* argv, int usable_cpus) {
  CLI::App app(headline, "tandem-compare");
  app.footer(details);
  app.get_formatter()->column_width(24);
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version", "tandem-compare " TANDEM_VERSION, "Print the version and exit");
  raw_options raw;
  declare(app, raw);
  try {
    app.parse(argc, argv);
    return complete(app, raw, usable_cpus);
  } catch (const CLI::CallForHelp&) {
    return early_exit{exit_ok, app.help()};
  } catch (const CLI::CallForVersion& version) {
    return early_exit{exit_ok, std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& wrong) {
    return early_exit{exit_usage, "tandem-compare: " + one_line(wrong.what()) + " (see --help)\n"};
  }
}

}  // namespace compare
