// What workers have: a set-up and a tear-down, values of their own, an end when they are idle, and a number that can be
// changed while they work.
#include <tandem/tandem.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Waits for what nobody tells. In a program of your own there is hardly ever a reason to.
void until_there_are(int workers, const tandem::thread_pool& pool) {
  while (pool.stats().workers != workers) std::this_thread::sleep_for(1ms);
}

}  // namespace

int main() {
  // A set-up and a tear-down for each worker: of a library that wants it, a connection, a device.
  std::atomic<int> connected{0};
  {
    tandem::thread_pool pool({.max_workers = 4,
                              .name_prefix = "db",
                              .initializer = [&] { ++connected; },
                              .finalizer = [&] { --connected; },
                              .idle_timeout = 20ms});
    std::cout << "workers at first: " << pool.stats().workers << '\n';
    std::cout << "in a task: " << pool.submit([&] { return pool.stats().workers; }).get() << '\n';

    // Nobody needs them for a while: they disconnect and go. The next task starts one anew.
    until_there_are(0, pool);
    std::cout << "idle: " << pool.stats().workers << " workers, " << connected << " connected\n";
    std::cout << "again: " << pool.submit([&] { return connected.load(); }).get() << " connected\n";
  }
  std::cout << "at the end: " << connected << " connected\n";

  // A sum for each worker, and no lock.
  tandem::thread_pool pool({.max_workers = 2});
  tandem::worker_local<long> sums;
  std::vector<int> numbers(1000, 3);
  pool.map([&](int n) { sums.local() += n; }, numbers);
  std::cout << "sum: " << sums.combine(std::plus<>()) << '\n';

  // Scratch memory that is allocated once for each worker, not once for each task.
  tandem::worker_local<std::vector<char>> scratch([] { return std::vector<char>(1 << 20); });
  pool.map([&](int n) { std::fill_n(scratch.local().begin(), n, 'x'); }, numbers);
  // map() works in the caller as well: at most three.
  std::cout << "few buffers: " << std::boolalpha << (scratch.size() <= 3) << '\n';

  // More workers for a while, then fewer.
  pool.resize(8);
  std::cout << "now at most " << pool.max_workers() << '\n';
  pool.resize(1);
  std::cout << "now " << pool.max_workers() << '\n';
}
