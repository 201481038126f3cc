#include <tandem/task_group.hpp>

#include "libraries/tandem.hpp"
#include "matmul/workload.hpp"

namespace matmul {
namespace {

void with_invoke(const product& all) {
  if (all.is_small()) return all.compute();
  for (const std::size_t phase : {0U, 4U}) {
    const auto part = [&all, phase](std::size_t i) { with_invoke(all.part(phase + i)); };
    tandem::parallel_invoke([&] { part(0); }, [&] { part(1); }, [&] { part(2); }, [&] { part(3); });
  }
}

}  // namespace

figures run_tandem_invoke(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(c, [&](const product& all) { pool.run([&all] { with_invoke(all); }); });
}

figures run_tandem_group(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(c, [&](const product& all) { pool.run([&all] { with_group<tandem::task_group>(all); }); });
}

}  // namespace matmul
