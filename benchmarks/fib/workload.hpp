// fib(32) by recursion, each call a fork and a join: nothing but what these cost.
#ifndef TANDEM_BENCH_FIB_WORKLOAD_HPP
#define TANDEM_BENCH_FIB_WORKLOAD_HPP

#include "bench/fork_join.hpp"
#include "bench/workload.hpp"

namespace fib {

using bench::figures;

figures run_tandem_invoke(const bench::conditions& c);
figures run_tandem_group(const bench::conditions& c);
figures run_onetbb_group(const bench::conditions& c);
figures run_onetbb_invoke(const bench::conditions& c);
figures run_taskflow(const bench::conditions& c);
figures run_libfork(const bench::conditions& c);
figures run_serial(const bench::conditions& c);

/// Each call is one: else GCC would put several levels of them into one function, which it cannot do with tasks, and what it
/// has called once with a number it would not call again. That is what noipa keeps it from; noinline alone does not.
[[gnu::noipa]] inline long serial(int n) { return n < 2 ? n : serial(n - 1) + serial(n - 2); }

/// By a class with run() and wait().
template <class Group>
long with_group(int n) {
  if (n < 2) return n;
  long a = 0;
  Group group;
  group.run([&a, n] { a = with_group<Group>(n - 1); });
  const long b = with_group<Group>(n - 2);
  group.wait();
  return a + b;
}

/// Times `solve(n)`.
template <class Solve>
figures measure(const bench::conditions& c, Solve solve) {
  const int n = c.pick(32, 20);
  return bench::timed(
      serial(n), [&] { static_cast<void>(solve(18)); }, [&] { return solve(n); });
}

}  // namespace fib

#endif
