#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_group.h>

#include "libraries/onetbb.hpp"
#include "matmul/workload.hpp"

namespace matmul {
namespace {

void with_invoke(const product& all) {
  if (all.is_small()) return all.compute();
  for (const std::size_t phase : {0U, 4U}) {
    const auto part = [&all, phase](std::size_t i) { with_invoke(all.part(phase + i)); };
    tbb::parallel_invoke([&] { part(0); }, [&] { part(1); }, [&] { part(2); }, [&] { part(3); });
  }
}

}  // namespace

figures run_onetbb_group(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(c, [&](const product& all) { arena.run([&all] { with_group<tbb::task_group>(all); }); });
}

figures run_onetbb_invoke(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(c, [&](const product& all) { arena.run([&all] { with_invoke(all); }); });
}

}  // namespace matmul
