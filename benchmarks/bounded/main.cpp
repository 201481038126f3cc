// Pushes far more tasks through a pool than its bounded queue holds, and prints how fast that is and that memory stays
// flat meanwhile. README.md has figures.
#include <tandem/tandem.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "bench/contest.hpp"

namespace {

void nothing() {}

double resident_mebibytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    double kibibytes = 0;
    status >> kibibytes;
    return kibibytes / 1024;
  }
  return 0;
}

template <class Pool>
void push(const char* name, Pool& pool, long tasks, long capacity) {
  using clock = std::chrono::steady_clock;
  for (long i = 0; i < std::min(tasks, 2 * capacity); ++i)
    pool.post(nothing);  // workers and first memory are there
  const auto begin = clock::now();
  const double at_start = resident_mebibytes();
  double in_the_middle = 0;
  for (long i = 0; i < tasks; ++i) {
    pool.post(nothing);
    if (i == tasks / 2) in_the_middle = resident_mebibytes();
  }
  const double at_end = resident_mebibytes();
  pool.shutdown();
  const double seconds = std::chrono::duration<double>(clock::now() - begin).count();
  std::printf("  %-32s %10ld tasks  %9.0f tasks/s  resident MiB: start %.1f, middle %.1f, end %.1f\n", name,
              tasks, static_cast<double>(tasks) / seconds, at_start, in_the_middle, at_end);
}

template <class Pool, class Options>
void push_through(const char* name, Options options, long tasks, long capacity) {
  options.max_workers = 2;
  for (const int bound : {static_cast<int>(capacity), 0}) {
    options.queue_capacity = bound;
    Pool pool(options);
    push((std::string(name) + (bound != 0 ? ", bounded" : ", not bounded")).c_str(), pool, tasks, capacity);
  }
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  const long tasks = bench::count_argument(argc, argv, "tasks", 10'000'000);
  const long capacity = bench::count_argument(argc, argv, "capacity", 10'000);
  bench::print_setting();
  std::printf("empty tasks through a queue of %ld, one submitter, 2 workers\n", capacity);
  push_through<tandem::thread_pool>("thread_pool", tandem::thread_pool_options{}, tasks, capacity);
  push_through<tandem::tbb_pool>("tbb_pool", tandem::tbb_pool_options{}, tasks, capacity);
  push_through<tandem::process_pool>("process_pool", tandem::process_pool_options{}, tasks, capacity);
}
