#include "libraries/libfork.hpp"
#include "nqueens/workload.hpp"

namespace nqueens {
namespace {

constexpr auto with_libfork = [](auto self, int n, int row, const board& queens) -> lf::task<int> {
  if (row == n) co_return 1;
  std::array<board, largest> next;
  counts parts{};
  for (int column = 0; column < n; ++column) {
    const auto i = static_cast<std::size_t>(column);
    if (place(queens, row, column, next[i])) co_await lf::fork(&parts[i], self)(n, row + 1, next[i]);
  }
  co_await lf::join;
  co_return total(parts, n);
};

}  // namespace

figures run_libfork(const bench::conditions& c) {
  bench::warm<libraries::libfork_pool> pool(c.workers);
  const board empty{};
  return measure(c, [&](int n) { return pool.run(with_libfork, n, 0, empty); });
}

}  // namespace nqueens
