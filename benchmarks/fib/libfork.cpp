#include "libraries/libfork.hpp"
#include "fib/workload.hpp"

namespace fib {
namespace {

constexpr auto with_libfork = [](auto self, int n) -> lf::task<long> {
  if (n < 2) co_return n;
  long a = 0;
  long b = 0;
  co_await lf::fork(&a, self)(n - 1);
  co_await lf::call(&b, self)(n - 2);
  co_await lf::join;
  co_return a + b;
};

}  // namespace

figures run_libfork(const bench::conditions& c) {
  bench::warm<libraries::libfork_pool> pool(c.workers);
  return measure(c, [&](int n) { return pool.run(with_libfork, n); });
}

}  // namespace fib
