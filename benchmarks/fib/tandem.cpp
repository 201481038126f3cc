#include <tandem/task_group.hpp>

#include "fib/workload.hpp"
#include "libraries/tandem.hpp"

namespace fib {
namespace {

long with_invoke(int n) {
  if (n < 2) return n;
  long a = 0;
  long b = 0;
  tandem::parallel_invoke([&a, n] { a = with_invoke(n - 1); }, [&b, n] { b = with_invoke(n - 2); });
  return a + b;
}

}  // namespace

figures run_tandem_invoke(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(c, [&](int n) { return pool.run([n] { return with_invoke(n); }); });
}

figures run_tandem_group(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(c, [&](int n) { return pool.run([n] { return with_group<tandem::task_group>(n); }); });
}

}  // namespace fib
