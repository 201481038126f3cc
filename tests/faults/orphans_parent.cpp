// A program in the midst of everything that a process pool does - starting, large and small tasks, deaths, time limits,
// processes started by tasks - to be killed at any moment.
#include "faults/tasks.hpp"

#include <tandem/process_pool.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tandem::test::death;

// Until the time limit, or the end.
void start_a_child_and_wait() {
  static_cast<void>(fork());
  for (;;) pause();
}

void do_everything(tandem::start_method start) {
  tandem::process_pool pool({.max_workers = 3, .start = start, .max_tasks_per_worker = 20});
  const std::string large(std::size_t{300} << 10U, 'x');
  std::vector<tandem::future<int>> small;
  for (int i = 0; i < 20; ++i) small.push_back(pool.submit({.retries = 2}, tandem::test::add_one, i));
  auto echoed = pool.submit(tandem::test::echo, large);
  auto dying = pool.submit(tandem::test::die, death::sigkill);
  auto late = pool.submit({.timeout = 5ms}, start_a_child_and_wait);
  for (auto& task : small) task.wait();
  echoed.wait();
  dying.wait();
  late.wait();
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  const bool spawn = argc > 1 && std::string_view(argv[1]) == "spawn";
  for (;;) do_everything(spawn ? tandem::start_method::spawn : tandem::start_method::fork_server);
}
