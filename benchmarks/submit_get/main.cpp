// Submits empty tasks from one thread to two workers and collects their futures, against what is commonly used for it:
// all at once, and in windows of 1000. README.md has figures.
#include <cstdio>

#include "bench/contest.hpp"
#include "submit_get/contestants.hpp"

int main(int argc, char** argv) {
  const auto tasks = static_cast<std::size_t>(bench::count_argument(argc, argv, "tasks", 1'000'000));
  const auto threads = static_cast<std::size_t>(bench::count_argument(argc, argv, "async-tasks", 20'000));
  const bench::contest_options options{static_cast<int>(bench::count_argument(argc, argv, "rounds", 7))};
  bench::print_setting();
  for (const std::size_t window : {tasks, std::size_t{1000}}) {
    // std::async cannot have a million threads alive: a thousand at a time, and fewer tasks, whose cost is the same.
    const auto medians = bench::run_contest(
        "submit " + std::to_string(window) + ", collect, until " + std::to_string(tasks) + " are done",
        {
            {"tandem::thread_pool", [&] { return submit_get::run_tandem(tasks, window); }},
            {"oneTBB enqueue + std::promise", [&] { return submit_get::run_onetbb(tasks, window); }},
            {"Boost.Asio post + packaged_task", [&] { return submit_get::run_asio(tasks, window); }},
            {"std::async, " + std::to_string(threads) + " tasks",
             [&] { return submit_get::run_std_async(threads, 1000); }},
        },
        options);
    if (window != tasks) continue;
    bool holds = true;
    for (std::size_t i = 1; i < medians.size(); ++i) holds = holds && medians[i] >= 3 * medians[0];
    std::printf("  bar: at least 3x faster than each: %s\n", holds ? "holds" : "MISSED");
  }
}
