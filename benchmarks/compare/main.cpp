// tandem-compare: reads the request, runs each workload, prints and saves what came of it. Everything else is in the files
// beside this one.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <tandem/init.hpp>

#include "backend.hpp"
#include "html_report.hpp"
#include "json_report.hpp"
#include "machine.hpp"
#include "options.hpp"
#include "progress_bar.hpp"
#include "runner.hpp"
#include "text_report.hpp"
#include "verdict.hpp"

namespace compare {
namespace {

constexpr int usual_width = 100;

// A report could not be saved, or a workload's input could not be had.
class usage_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct screen {
  bool bold = false;
  int width = usual_width;
};

screen describe_stdout() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0) return {};
  const bool plain =
      std::getenv("NO_COLOR") != nullptr;  // NOLINT(concurrency-mt-unsafe): nothing here sets it
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {.bold = !plain, .width = known ? std::clamp<int>(size.ws_col, 40, 120) : usual_width};
}

void save(const std::string& file, const std::string& text, std::string_view what) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text << std::flush;
  if (!out) throw usage_error("cannot write '" + file + "'");
  std::cout << what << ": " << file << "\n";
}

std::unique_ptr<workload> prepare(const std::string& name, const options& wanted) {
  try {
    return make_workload(name, wanted);
  } catch (const std::exception& error) {
    throw usage_error(error.what());
  }
}

void run(const options& wanted, int cpus) {
  const screen shown = describe_stdout();
  const machine on = describe_machine(cpus);
  for (const std::string& line : machine_lines(on)) std::cout << wrap(line, "", shown.width) << std::flush;
  // All inputs first: what cannot be had is said before minutes are spent on the rest.
  std::vector<std::unique_ptr<workload>> works;
  for (const std::string& name : wanted.workloads) works.push_back(prepare(name, wanted));

  std::vector<comparison> all;
  progress_bar progress(count_runs(wanted) * static_cast<int>(works.size()), terminal_on_stderr());
  for (std::unique_ptr<workload>& work : works) {
    comparison one = run_workload(*work, wanted, progress);
    work.reset();  // its input and servers must not weigh on those after it
    one.advice = judge(one, cpus);
    progress.hide();
    std::cout << "\n" << text_report(one, shown.bold, shown.width) << std::flush;
    all.push_back(std::move(one));
  }
  std::cout << "\n* advised. All backends gave the same results.\n";
  if (!wanted.json_file.empty()) save(wanted.json_file, json_report(all, on, wanted, 2) + "\n", "JSON");
  if (!wanted.html_file.empty()) save(wanted.html_file, html_report(all, on, wanted), "Report");
}

int complain(const std::exception& error, exit_code code) {
  std::cout << std::flush;
  std::cerr << "tandem-compare: " << error.what() << "\n";
  return code;
}

int main_program(int argc, char** argv) {
  try {
    const int cpus = usable_cpus();
    const auto request = parse_options(argc, argv, cpus);
    if (const auto* exit = std::get_if<early_exit>(&request)) {
      (exit->code == exit_ok ? std::cout : std::cerr) << exit->text;
      return exit->code;
    }
    run(std::get<options>(request), cpus);
    return exit_ok;
  } catch (const usage_error& error) {
    return complain(error, exit_usage);
  } catch (const std::exception& error) {
    return complain(error, exit_wrong_result);
  }
}

}  // namespace
}  // namespace compare

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  return compare::main_program(argc, argv);
}
