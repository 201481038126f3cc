// A tree of tasks, ten children each, a million leaves: the numbers of the leaves are summed up.
#ifndef TANDEM_BENCH_SKYNET_WORKLOAD_HPP
#define TANDEM_BENCH_SKYNET_WORKLOAD_HPP

#include <array>
#include <cstddef>
#include <utility>

#include "bench/fork_join.hpp"
#include "bench/workload.hpp"

namespace skynet {

using bench::figures;

figures run_tandem_invoke(const bench::conditions& c);
figures run_tandem_group(const bench::conditions& c);
figures run_onetbb_group(const bench::conditions& c);
figures run_onetbb_invoke(const bench::conditions& c);
figures run_taskflow(const bench::conditions& c);
figures run_libfork(const bench::conditions& c);
figures run_serial(const bench::conditions& c);

inline constexpr std::size_t children = 10;
using sums = std::array<long, children>;

inline long total(const sums& parts) {
  long all = 0;
  for (const long part : parts) all += part;
  return all;
}

/// The number of the first leaf below child `i`, of `size` leaves each.
inline long first_leaf(long number, std::size_t i, long size) { return number + static_cast<long>(i) * size; }

inline long serial(long number, long size) {
  if (size == 1) return number;
  size /= static_cast<long>(children);
  long all = 0;
  for (std::size_t i = 0; i < children; ++i) all += serial(first_leaf(number, i, size), size);
  return all;
}

/// By a class with run() and wait().
template <class Group>
long with_group(long number, long size) {
  if (size == 1) return number;
  size /= static_cast<long>(children);
  sums parts;
  Group group;
  for (std::size_t i = 0; i + 1 < children; ++i)
    group.run([&parts, number, size, i] { parts[i] = with_group<Group>(first_leaf(number, i, size), size); });
  parts[children - 1] = with_group<Group>(first_leaf(number, children - 1, size), size);
  group.wait();
  return total(parts);
}

template <class Invoke, class F, std::size_t... I>
void for_each_child(Invoke invoke, F& f, std::index_sequence<I...> /*numbers*/) {
  invoke([&f] { f(I); }...);
}

/// By a function that runs several functions and returns when all have.
template <class Invoke>
long with_invoke(Invoke invoke, long number, long size) {
  if (size == 1) return number;
  size /= static_cast<long>(children);
  sums parts;
  const auto child = [&](std::size_t i) {
    parts[i] = with_invoke(invoke, first_leaf(number, i, size), size);
  };
  for_each_child(invoke, child, std::make_index_sequence<children>());
  return total(parts);
}

/// Times `solve(leaves)`.
template <class Solve>
figures measure(const bench::conditions& c, Solve solve) {
  const long leaves = c.pick(1'000'000L, 10'000L);
  return bench::timed(
      leaves * (leaves - 1) / 2, [&] { static_cast<void>(solve(10'000L)); }, [&] { return solve(leaves); });
}

}  // namespace skynet

#endif
