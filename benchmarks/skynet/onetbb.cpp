#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_group.h>

#include "libraries/onetbb.hpp"
#include "skynet/workload.hpp"

namespace skynet {
namespace {

constexpr auto invoke = [](auto... functions) { tbb::parallel_invoke(functions...); };

}  // namespace

figures run_onetbb_invoke(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(c,
                 [&](long leaves) { return arena.run([leaves] { return with_invoke(invoke, 0, leaves); }); });
}

figures run_onetbb_group(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure(
      c, [&](long leaves) { return arena.run([leaves] { return with_group<tbb::task_group>(0, leaves); }); });
}

}  // namespace skynet
