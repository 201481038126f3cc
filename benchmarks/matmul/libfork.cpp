#include "libraries/libfork.hpp"
#include "matmul/workload.hpp"

namespace matmul {
namespace {

constexpr auto with_libfork = [](auto self, product all) -> lf::task<void> {
  if (all.is_small()) {
    all.compute();
    co_return;
  }
  for (const std::size_t phase : {0U, 4U}) {
    for (std::size_t i = phase; i < phase + 3; ++i) co_await lf::fork(self)(all.part(i));
    co_await lf::call(self)(all.part(phase + 3));
    co_await lf::join;
  }
};

}  // namespace

figures run_libfork(const bench::conditions& c) {
  bench::warm<libraries::libfork_pool> pool(c.workers);
  return measure(c, [&](const product& all) { pool.run(with_libfork, all); });
}

}  // namespace matmul
