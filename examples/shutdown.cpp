// The end of a pool: what becomes of tasks that run, wait, are delayed or repeated, and who may ask for it.
#include <tandem/tandem.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <latch>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::string outcome(tandem::future<std::string>& f) {
  try {
    return f.get();
  } catch (const tandem::cancelled_error&) {
    return "cancelled";
  }
}

}  // namespace

int main() {
  // The scope is the end: what was submitted is done behind it.
  std::vector<std::string> letters;
  {
    tandem::thread_pool pool({.max_workers = 1});
    for (const char* name : {"Ada", "Grace", "Edsger"}) pool.post([&, name] { letters.emplace_back(name); });
  }
  std::cout << letters.size() << " letters written\n";

  // Running tasks finish, what waits is cancelled, and nobody waits for either.
  tandem::thread_pool pool({.max_workers = 1});
  std::latch begun(1);
  std::latch may_finish(1);
  auto running = pool.submit([&] {
    begun.count_down();
    may_finish.wait();
    return std::string("finished");
  });
  begun.wait();
  auto waiting = pool.submit([] { return std::string("never called"); });
  auto tomorrow = pool.submit_after(24h, [] { return std::string("never called"); });
  pool.shutdown({.wait = false, .cancel_pending = true});
  may_finish.count_down();
  std::cout << "waiting: " << outcome(waiting) << "\ntomorrow: " << outcome(tomorrow)
            << "\nrunning: " << outcome(running) << '\n';
  try {
    pool.post([] {});
  } catch (const tandem::shutdown_error&) {
    std::cout << "too late\n";
  }

  // A task cannot wait for its own end. It can ask for the pool's.
  tandem::thread_pool other({.max_workers = 1});
  other
      .submit([&] {
        try {
          other.shutdown();
        } catch (const tandem::invalid_state_error&) {
          other.shutdown({.wait = false});
        }
      })
      .get();
  other.shutdown();  // now from outside: returns when the workers are gone

  // A child made by fork() has none of the workers: it makes a pool of its own, or calls exec().
  tandem::thread_pool parents({.max_workers = 1});
  std::cout << parents.submit([] { return "in the parent"; }).get() << std::endl;
  if (fork() == 0) {
    try {
      parents.post([] {});
    } catch (const tandem::broken_pool_error&) {
      tandem::thread_pool own({.max_workers = 1});
      std::cout << own.submit([] { return "in the child"; }).get() << std::endl;
    }
    _exit(0);
  }
  wait(nullptr);
}
