#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_group.h>

#include "fib/workload.hpp"
#include "libraries/onetbb.hpp"

namespace fib {
namespace {

long with_invoke(int n) {
  if (n < 2) return n;
  long a = 0;
  long b = 0;
  tbb::parallel_invoke([&a, n] { a = with_invoke(n - 1); }, [&b, n] { b = with_invoke(n - 2); });
  return a + b;
}

}  // namespace

figures run_onetbb_group(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(c, [&](int n) { return arena.run([n] { return with_group<tbb::task_group>(n); }); });
}

figures run_onetbb_invoke(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(c, [&](int n) { return arena.run([n] { return with_invoke(n); }); });
}

}  // namespace fib
