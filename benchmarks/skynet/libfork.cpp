#include "libraries/libfork.hpp"
#include "skynet/workload.hpp"

namespace skynet {
namespace {

constexpr auto with_libfork = [](auto self, long number, long size) -> lf::task<long> {
  if (size == 1) co_return number;
  size /= static_cast<long>(children);
  sums parts;
  for (std::size_t i = 0; i + 1 < children; ++i)
    co_await lf::fork(&parts[i], self)(first_leaf(number, i, size), size);
  co_await lf::call(&parts[children - 1], self)(first_leaf(number, children - 1, size), size);
  co_await lf::join;
  co_return total(parts);
};

}  // namespace

figures run_libfork(const bench::conditions& c) {
  bench::warm<libraries::libfork_pool> pool(c.workers);
  return measure(c, [&](long leaves) { return pool.run(with_libfork, 0L, leaves); });
}

}  // namespace skynet
