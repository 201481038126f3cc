// What a user's program is made of: threads and processes through one interface. Exits with 0 if all is right.
#include <tandem/tandem.hpp>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

namespace {

long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

std::string shout(std::string text) { return text + "!"; }

// Fork-join: all that is templates.
bool forks(tandem::thread_pool& pool) {
  std::vector<long> numbers(1000, 1);
  tandem::parallel_for(pool, numbers, [](long& n) { n *= 2; });
  tandem::parallel_for(pool, {.chunk_size = 10}, 0, 1000,
                       [&](int i) { numbers[static_cast<std::size_t>(i)] += 1; });
  long a = 0;
  long b = 0;
  tandem::task_group group(pool);
  group.run([&] { tandem::parallel_invoke([&] { a = fib(10); }, [&] { b = fib(20); }); });
  const bool complete = group.wait() == tandem::task_group_status::complete;
  const long sum = tandem::parallel_reduce(pool, numbers, 0L, std::plus<>(), [](long n) { return 2 * n; });
  const bool right = complete && a == 55 && b == 6765 && sum == 6000;
  std::printf("fork_join: %s\n", right ? "right" : "WRONG");
  return right;
}

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
  const bool right = works(threads, "thread_pool") && works(processes, "process_pool") && forks(threads);
  return right ? 0 : 1;
}
