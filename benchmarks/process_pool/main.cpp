// process_pool against Python's pools, in one run: small tasks with futures, map, round trip, a large payload, the
// start. And what both pools burn when they have nothing to do.
#include "bench/contest.hpp"

#include "posix/clock.hpp"

#include <tandem/process_pool.hpp>
#include <tandem/thread_pool.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numeric>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

int add_one(int x) { return x + 1; }
std::string echo(std::string text) { return text; }

double per_task(clock_type::time_point begin, long count) {
  return std::chrono::duration<double, std::nano>(clock_type::now() - begin).count() /
         static_cast<double>(count);
}

[[noreturn]] void wrong(const char* what) {
  std::fprintf(stderr, "wrong result: %s\n", what);
  std::exit(1);
}

double submit_and_get(tandem::process_pool& pool, long count) {
  std::vector<tandem::future<int>> futures;
  futures.reserve(static_cast<std::size_t>(count));
  const auto begin = clock_type::now();
  for (int i = 0; i < count; ++i) futures.push_back(pool.submit(add_one, i));
  for (int i = 0; i < count; ++i) {
    if (futures[static_cast<std::size_t>(i)].get() != i + 1) wrong("submit");
  }
  return per_task(begin, count);
}

double map(tandem::process_pool& pool, long count) {
  std::vector<int> inputs(static_cast<std::size_t>(count));
  std::iota(inputs.begin(), inputs.end(), 0);
  const auto begin = clock_type::now();
  const std::vector<int> results = pool.map(add_one, inputs);
  const double time = per_task(begin, count);
  for (int i = 0; i < count; ++i) {
    if (results[static_cast<std::size_t>(i)] != i + 1) wrong("map");
  }
  return time;
}

double round_trip(tandem::process_pool& pool, long count) {
  const auto begin = clock_type::now();
  for (int i = 0; i < count; ++i) {
    if (pool.submit(add_one, i).get() != i + 1) wrong("round trip");
  }
  return per_task(begin, count);
}

double large_echo(tandem::process_pool& pool, long count) {
  const std::string text(std::size_t{16} << 20U, 'x');
  const auto begin = clock_type::now();
  for (long i = 0; i < count; ++i) {
    if (pool.submit(echo, text).get().size() != text.size()) wrong("echo");
  }
  return per_task(begin, count);
}

double start(long count) {
  const auto begin = clock_type::now();
  for (int i = 0; i < count; ++i) {
    tandem::process_pool pool({.max_workers = 2});
    if (pool.submit(add_one, i).get() != i + 1) wrong("start");
  }
  return per_task(begin, count);
}

std::function<double()> python(const std::string& way, long count) {
  return [way, count] {
    const std::string command =
        std::string("python3 ") + TANDEM_PYTHON_POOLS + " " + way + " " + std::to_string(count);
    FILE* pipe = popen(command.c_str(), "r");
    double time = 0;
    if (pipe == nullptr || std::fscanf(pipe, "%lf", &time) != 1 || pclose(pipe) != 0) {
      std::fprintf(stderr, "failed: %s\n", command.c_str());
      std::exit(1);
    }
    return time;
  };
}

// CPU time of all processes that run this program: this one, the fork server, the workers.
double cpu_milliseconds() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  std::chrono::nanoseconds sum{0};
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    std::error_code none_of_ours;
    if (pid > 0 && std::filesystem::read_symlink(entry.path() / "exe", none_of_ours) == program)
      sum += tandem::posix::cpu_time(pid).value_or(sum.zero());
  }
  return std::chrono::duration<double, std::milli>(sum).count();
}

void idle(tandem::process_pool& processes, long seconds) {
  tandem::thread_pool threads({.max_workers = 2});
  threads.map([](int x) { return x; }, std::vector<int>(1000));
  processes.map(add_one, std::vector<int>(1000));
  const double before = cpu_milliseconds();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  std::printf(
      "\nidle for %ld s, a thread_pool and a process_pool alive: %.3f ms of CPU in all their processes\n",
      seconds, cpu_milliseconds() - before);
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  const long tasks = bench::count_argument(argc, argv, "tasks", 100000);
  const long items = bench::count_argument(argc, argv, "items", 1000000);
  const int rounds = static_cast<int>(bench::count_argument(argc, argv, "rounds", 5));
  const long idle_seconds = bench::count_argument(argc, argv, "idle", 10);
  bench::print_setting();
  tandem::process_pool pool({.max_workers = 2});
  const bench::contest_options options{.rounds = rounds};
  bench::run_contest("small tasks with futures, collected, 2 workers",
                     {{"tandem process_pool.submit", [&] { return submit_and_get(pool, tasks); }},
                      {"Python ProcessPoolExecutor.submit", python("submit", tasks / 10)}},
                     options);
  bench::run_contest("map of ints, per item",
                     {{"tandem process_pool.map", [&] { return map(pool, items); }},
                      {"Python Pool.map", python("map", items)}},
                     options);
  bench::run_contest("submit and get, one after the other",
                     {{"tandem process_pool", [&] { return round_trip(pool, 2000); }},
                      {"Python ProcessPoolExecutor", python("round_trip", 1000)}},
                     options);
  bench::run_contest("16 MiB string there and back",
                     {{"tandem process_pool", [&] { return large_echo(pool, 10); }},
                      {"Python ProcessPoolExecutor", python("echo", 5)}},
                     options);
  bench::run_contest(
      "from nothing to the first result, and down again",
      {{"tandem process_pool", [] { return start(10); }}, {"Python ProcessPoolExecutor", python("start", 3)}},
      options);
  idle(pool, idle_seconds);
}
