// What a user's program is made of: threads and processes through one interface. Exits with 0 if all is right.
#include <tandem/tandem.hpp>

#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

namespace {

long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

std::string shout(std::string text) { return text + "!"; }

bool works(tandem::executor& pool, const char* name) {
  const std::vector<int> inputs{5, 10, 20};
  const std::vector<long> wanted{5, 55, 6765};
  std::vector<tandem::future<long>> futures;
  for (const int n : inputs) futures.push_back(pool.submit(fib, n));
  long sum = 0;
  for (auto& future : tandem::as_completed(futures)) sum += future.get();
  const bool right = sum == std::accumulate(wanted.begin(), wanted.end(), 0L) &&
                     pool.map(fib, inputs) == wanted &&
                     pool.submit(shout, std::string("hello")).get() == "hello!";
  std::printf("%s: %s\n", name, right ? "right" : "WRONG");
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  tandem::thread_pool threads({.max_workers = 2});
  tandem::process_pool processes({.max_workers = 2});
  const bool right = works(threads, "thread_pool") && works(processes, "process_pool");
  return right ? 0 : 1;
}
