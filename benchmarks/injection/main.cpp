// Compares queues for the way from submit() to the workers. README.md has figures and the choice.
#include <cstdio>

#include "bench/contest.hpp"
#include "injection/harness.hpp"

int main(int argc, char** argv) {
  const auto items = static_cast<std::size_t>(bench::count_argument(argc, argv, "items", 1'000'000));
  const bench::contest_options options{static_cast<int>(bench::count_argument(argc, argv, "rounds", 9))};
  bench::print_setting();
  const injection::candidate candidates[] = {
      injection::own_injector(),   injection::own_injector_singly(), injection::moodycamel(),
      injection::tbb_queue(),      injection::xenium_ramalhete(),    injection::vyukov_and_spill(),
      injection::lockfree_queue(), injection::stack_of_all(),        injection::mutex_and_deque(),
  };
  const injection::load loads[] = {
      {"1 producer, 2 consumers", 1, 2, 0, false},
      {"4 producers, 2 consumers", 4, 2, 0, false},
      {"1 producer, 2 consumers, at most 1000 in the queue", 1, 2, 1000, false},
      {"1 producer, 1 consumer, at most 8 in the queue", 1, 1, 8, false},
      {"1 producer, then 1 consumer", 1, 1, 0, true},
  };
  for (const injection::load& how : loads) {
    std::vector<bench::rival> contestants;
    for (const injection::candidate& who : candidates)
      contestants.push_back({who.name, [&how, run = who.run, items] { return run(how, items); }});
    bench::run_contest(how.name, contestants, options);
  }
}
