#include <tandem/tandem.hpp>

#include <iostream>

long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(int argc, char** argv) {
  tandem::init(argc, argv);  // first line of main: lets this program serve as a pool worker
  tandem::process_pool pool({.max_workers = 3});
  for (long n : pool.map(fib, std::vector{25, 30, 32})) std::cout << n << '\n';  // in the order of the inputs
  tandem::future<long> fs[] = {pool.submit(fib, 27), pool.submit(fib, 28)};  // both run in other processes
  long sum = 0;
  for (auto& f : tandem::as_completed(fs)) sum += f.get();  // whichever is done first
  std::cout << sum << '\n';
}
