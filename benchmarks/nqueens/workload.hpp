// All ways to place 11 queens: a task for each place of the next queen that no other attacks, with a board of its own.
#ifndef TANDEM_BENCH_NQUEENS_WORKLOAD_HPP
#define TANDEM_BENCH_NQUEENS_WORKLOAD_HPP

#include <array>

#include "bench/fork_join.hpp"
#include "bench/workload.hpp"

namespace nqueens {

using bench::figures;

figures run_tandem_group(const bench::conditions& c);
figures run_onetbb_group(const bench::conditions& c);
figures run_taskflow(const bench::conditions& c);
figures run_libfork(const bench::conditions& c);
figures run_serial(const bench::conditions& c);

inline constexpr int largest = 11;
using board = std::array<char, largest>;
using counts = std::array<int, largest>;

/// Whether the queen in row `row` is attacked by none above it.
inline bool is_safe(const board& queens, int row) {
  const int last = queens[static_cast<std::size_t>(row)];
  for (int i = 0; i < row; ++i) {
    const int other = queens[static_cast<std::size_t>(i)];
    if (other == last || other == last - (row - i) || other == last + (row - i)) return false;
  }
  return true;
}

/// `to` becomes `from`, whose first `row` rows are taken, with a queen more; whether it is safe there.
inline bool place(const board& from, int row, int column, board& to) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(row); ++i) to[i] = from[i];
  to[static_cast<std::size_t>(row)] = static_cast<char>(column);
  return is_safe(to, row);
}

inline int total(const counts& parts, int n) {
  int all = 0;
  for (int i = 0; i < n; ++i) all += parts[static_cast<std::size_t>(i)];
  return all;
}

inline int serial(int n, int row, const board& queens) {
  if (row == n) return 1;
  int all = 0;
  for (int column = 0; column < n; ++column) {
    board next;
    if (place(queens, row, column, next)) all += serial(n, row + 1, next);
  }
  return all;
}

/// By a class with run() and wait().
template <class Group>
int with_group(int n, int row, const board& queens) {
  if (row == n) return 1;
  std::array<board, largest> next;
  counts parts{};
  Group group;
  for (int column = 0; column < n; ++column) {
    board& here = next[static_cast<std::size_t>(column)];
    int& part = parts[static_cast<std::size_t>(column)];
    if (place(queens, row, column, here))
      group.run([&here, &part, n, row] { part = with_group<Group>(n, row + 1, here); });
  }
  group.wait();
  return total(parts, n);
}

/// Times `solve(n)`.
template <class Solve>
figures measure(const bench::conditions& c, Solve solve) {
  const int n = c.pick(largest, 8);
  return bench::timed(
      n == largest ? 2680 : 92, [&] { static_cast<void>(solve(7)); }, [&] { return solve(n); });
}

}  // namespace nqueens

#endif
