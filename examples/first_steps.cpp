#include <tandem/tandem.hpp>

#include <iostream>
#include <vector>

long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(int argc, char** argv) {
  tandem::init(argc, argv);  // first line of main: lets this program serve as a pool worker
  tandem::process_pool pool({.max_workers = 3});
  tandem::future<long> one = pool.submit(fib, 20);  // runs fib(20) in another process
  std::vector<int> ns{25, 30, 32};
  for (long n : pool.map(fib, ns)) std::cout << n << '\n';  // in the order of the inputs

  std::vector<tandem::future<long>> fs;
  for (int n : ns) fs.push_back(pool.submit(fib, n));
  long sum = one.get();
  for (auto& f : tandem::as_completed(fs)) sum += f.get();  // whichever is done first
  std::cout << sum << '\n';
}
