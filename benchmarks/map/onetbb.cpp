#include <oneapi/tbb/parallel_for.h>

#include "libraries/onetbb.hpp"
#include "map/workload.hpp"

namespace map {

figures run_onetbb_for(const bench::conditions& c) {
  libraries::onetbb_arena arena(c.workers);
  return measure_into(c, c.workers, [&](const numbers& items, numbers& results) {
    arena.run([&] {
      tbb::parallel_for(std::size_t{0}, items.size(), [&](std::size_t i) { results[i] = work_on(items[i]); });
    });
  });
}

}  // namespace map
