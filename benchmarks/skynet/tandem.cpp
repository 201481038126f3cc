#include <tandem/task_group.hpp>

#include "libraries/tandem.hpp"
#include "skynet/workload.hpp"

namespace skynet {
namespace {

constexpr auto invoke = [](auto... functions) { tandem::parallel_invoke(functions...); };

}  // namespace

figures run_tandem_invoke(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(c,
                 [&](long leaves) { return pool.run([leaves] { return with_invoke(invoke, 0, leaves); }); });
}

figures run_tandem_group(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure(c, [&](long leaves) {
    return pool.run([leaves] { return with_group<tandem::task_group>(0, leaves); });
  });
}

}  // namespace skynet
