// Stopping tasks: before they run, while they run, many together, and by force.
#include <tandem/tandem.hpp>

#include <chrono>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

// Asks now and then: for a task that computes.
long count_primes(const std::stop_token& stop, long from) {
  long primes = 0;
  for (long n = from; !stop.stop_requested(); ++n) {
    long d = 2;
    while (d * d <= n && n % d != 0) ++d;
    if (d * d > n) ++primes;
  }
  return primes;
}

// Sleeps until there is something to do, or nothing to do any more: for a task that waits.
bool wait_for_work() {
  std::mutex mutex;
  std::condition_variable_any work;
  std::unique_lock lock(mutex);
  return work.wait(lock, tandem::this_task::stop_token(), [] { return false; });
}

long endless() {
  for (;;) std::this_thread::sleep_for(1h);
}

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  tandem::thread_pool pool({.max_workers = 2});

  // A running task is asked. What it does then is its own affair: here it returns what it has.
  auto primes = pool.submit(count_primes, 2);
  while (!primes.running()) std::this_thread::yield();
  std::cout << "cancelled: " << std::boolalpha << primes.cancel();
  std::cout << ", found some: " << (primes.get() >= 0) << '\n';

  // One source for any number of tasks, those that run and those that wait.
  std::stop_source all;
  std::vector<tandem::future<long>> fs;
  for (long i = 0; i < 10; ++i) fs.push_back(pool.submit({.stop_token = all.get_token()}, count_primes, i));
  while (!fs[0].running()) std::this_thread::yield();
  all.request_stop();
  tandem::wait(fs);
  std::cout << "all " << fs.size() << " are done\n";

  auto sleeper = pool.submit(wait_for_work);
  while (!sleeper.running()) std::this_thread::yield();
  sleeper.cancel();
  std::cout << "there was work: " << sleeper.get() << '\n';

  // In a process nobody needs to be asked.
  tandem::process_pool processes({.max_workers = 1, .kill_on_cancel = true});
  auto hopeless = processes.submit(endless);
  while (!hopeless.running()) std::this_thread::yield();
  std::cout << "killed: ";
  hopeless.cancel();
  try {
    hopeless.get();
  } catch (const tandem::cancelled_error&) {
    std::cout << "cancelled_error\n";
  }
}
