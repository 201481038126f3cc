// What a process pool protects against: a task that crashes, hangs or fails now and then costs itself and no other.
//
// Dead workers are replaced. The pool's other tasks, and this program, do not notice.
#include <tandem/tandem.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

namespace {

int square(int n) {
  if (n == 4) std::raise(SIGKILL);  // stands for a crash, or for the system's out-of-memory killer
  return n * n;
}

int hang() {
  for (;;) std::this_thread::sleep_for(1h);
}

// Dies at the first attempt and at the second.
int shaky() {
  if (tandem::this_task::attempt() < 3) std::raise(SIGKILL);
  return tandem::this_task::attempt();
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  std::atomic<int> deaths = 0;  // counted on the pool's own thread
  tandem::process_pool pool(
      {.max_workers = 2, .on_worker_death = [&](const tandem::worker_death&) { ++deaths; }});

  std::vector<tandem::future<int>> squares;
  for (int n = 1; n <= 6; ++n) squares.push_back(pool.submit(square, n));
  for (auto& f : squares) {
    try {
      std::cout << f.get() << '\n';
    } catch (const tandem::worker_died_error& e) {
      std::cout << "the worker died of signal " << e.signal() << '\n';  // e.what() says more
    }
  }

  // A limit kills the worker; only this backend can promise that.
  auto never = pool.submit({.name = "hang", .timeout = 100ms}, hang);
  try {
    never.get();
  } catch (const tandem::timeout_error&) {
    std::cout << "timed out\n";
  }

  // Retries are for tasks that may be run twice without harm.
  auto third = pool.submit({.name = "shaky", .retries = 2, .retry_delay = 1ms}, shaky);
  std::cout << "attempt " << third.get() << " succeeded\n";
  pool.shutdown();
  std::cout << deaths << " workers have died\n";
}
