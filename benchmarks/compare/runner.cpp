#include "runner.hpp"

#include <chrono>
#include <utility>

#include "backend.hpp"
#include "usage_meter.hpp"

namespace compare {
namespace {

using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point then) {
  return std::chrono::duration<double>(steady::now() - then).count();
}

int answer(int number) { return number; }

// What a user waits for before the first result: the constructor, a worker's start, and one round trip.
std::unique_ptr<tandem::executor> start_executor(const row& on, sample& taken) {
  const steady::time_point before = steady::now();
  auto pool = make_executor(on.backend, on.workers);
  pool->submit(answer, 1).get();
  taken.start_seconds = seconds_since(before);
  return pool;
}

template <class Run, class Pids>
results measure(const workload& work, sample& taken, Run run, Pids pids) {
  const usage_meter meter(pids());
  const double helpers_before = work.helper_cpu_seconds();
  const steady::time_point before = steady::now();
  results found = run();
  taken.seconds = seconds_since(before);
  const double helpers = work.helper_cpu_seconds() - helpers_before;
  const usage used = meter.finish(pids());
  taken.cpu_seconds = used.cpu_seconds - helpers;
  taken.peak_bytes = used.peak_bytes;
  return found;
}

std::pair<sample, results> run_once(workload& work, const row& on) {
  sample taken;
  if (on.backend == serial_backend) {
    results found = measure(
        work, taken, [&] { return work.run_serial(); }, [] { return std::vector<pid_t>(); });
    return {taken, std::move(found)};
  }
  const auto pool = start_executor(on, taken);
  results found = measure(
      work, taken, [&] { return work.run_on(*pool); }, [&] { return worker_pids(*pool); });
  pool->shutdown();
  return {taken, std::move(found)};
}

std::vector<row> planned_rows(const options& wanted) {
  std::vector<row> rows;
  rows.push_back({.backend = serial_backend});
  for (const std::string& backend : wanted.backends) {
    if (!has_workers(backend)) {
      rows.push_back({.backend = backend});
      continue;
    }
    for (const int workers : wanted.workers) rows.push_back({.backend = backend, .workers = workers});
  }
  return rows;
}

[[noreturn]] void fail(const workload& work, const row& on, const std::string& what) {
  throw wrong_result(work.name() + " on " + row_label(on) + ": " + what);
}

void run_row(workload& work, row& on, results& expected) {
  try {
    auto [taken, found] = run_once(work, on);
    on.samples.push_back(taken);
    if (expected.empty()) {
      expected = std::move(found);
    } else if (const std::string difference = first_difference(expected, found); !difference.empty()) {
      fail(work, on, difference + " as in the first serial run");
    }
  } catch (const wrong_result&) {
    throw;
  } catch (const std::exception& error) {
    fail(work, on, error.what());
  }
}

}  // namespace

int count_runs(const options& wanted) {
  return wanted.repeat * static_cast<int>(planned_rows(wanted).size());
}

comparison run_workload(workload& work, const options& wanted, progress_bar& progress) {
  comparison all;
  all.workload = work.name();
  all.kind = work.kind();
  all.description = work.description();
  all.tasks = work.tasks();
  all.rows = planned_rows(wanted);

  const machine_meter machine;
  results expected;
  for (int round = 0; round < wanted.repeat; ++round) {
    for (row& on : all.rows) {
      progress.begin(work.name() + ": " + row_label(on));
      run_row(work, on, expected);
      progress.advance();
    }
  }
  double own = 0;
  for (const row& r : all.rows) {
    for (const sample& s : r.samples) own += s.cpu_seconds;
  }
  all.others = machine.others(own + work.helper_cpu_seconds());
  all.remark = work.remark();
  summarize_rows(all);
  return all;
}

}  // namespace compare
