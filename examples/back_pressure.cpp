// A submitter that is faster than its workers, and the three things that a bounded queue can do about it.
#include <tandem/tandem.hpp>

#include <chrono>
#include <iostream>
#include <latch>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

int resize(int picture) { return picture / 2; }

// Waits for its turn: however many pictures there are, no more than eight of them lie in memory and wait.
void block() {
  tandem::thread_pool pool({.max_workers = 2, .queue_capacity = 8, .when_full = tandem::when_full::block});
  std::vector<tandem::future<int>> done;
  for (int picture = 0; picture < 1000; ++picture) done.push_back(pool.submit(resize, picture));
  long sum = 0;
  for (auto& f : done) sum += f.get();
  std::cout << "block: all " << done.size() << " are done, sum " << sum << '\n';
}

// Says no: a server that is overloaded tells its client at once.
void reject() {
  std::latch finish(1);
  tandem::thread_pool pool({.max_workers = 1, .queue_capacity = 2, .when_full = tandem::when_full::reject});
  int accepted = 0;
  int rejected = 0;
  for (int request = 0; request < 10; ++request) {
    try {
      pool.post([&finish] { finish.wait(); });
      ++accepted;
    } catch (const tandem::queue_full_error&) {
      ++rejected;
    }
  }
  std::cout << "reject: " << accepted << " accepted, " << rejected << " rejected\n";
  finish.count_down();
}

// Lends a hand: while it runs a task itself, it submits nothing.
void run_in_caller() {
  std::latch finish(1);
  tandem::thread_pool pool(
      {.max_workers = 1, .queue_capacity = 2, .when_full = tandem::when_full::run_in_caller});
  for (int i = 0; i < 3; ++i) pool.post([&finish] { finish.wait(); });
  auto where = pool.submit([] { return std::this_thread::get_id(); });
  std::cout << "run_in_caller: it ran in "
            << (where.get() == std::this_thread::get_id() ? "the caller" : "a worker") << '\n';
  finish.count_down();
}

// Waits, but not for ever.
void give_up() {
  std::latch finish(1);
  tandem::thread_pool pool({.max_workers = 1, .queue_capacity = 1});
  for (int i = 0; i < 2; ++i) pool.post([&finish] { finish.wait(); });
  try {
    pool.submit({.submit_timeout = 10ms}, resize, 1).get();
  } catch (const tandem::queue_full_error&) {
    std::cout << "submit_timeout: there was no room in time\n";
  }
  finish.count_down();
}

}  // namespace

int main() {
  block();
  reject();
  run_in_caller();
  give_up();
}
