#include <tandem/parallel_for.hpp>

#include "libraries/tandem.hpp"
#include "map/workload.hpp"

namespace map {

// A lambda, not the function's address: it is inlined as in the loops of the others.
figures run_tandem_map(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure_making(c, c.workers, [&](const numbers& items) {
    return pool.get().map([](std::uint32_t x) { return work_on(x); }, items);
  });
}

figures run_tandem_for(const bench::conditions& c) {
  bench::warm<libraries::tandem_pool> pool(c.workers);
  return measure_into(c, c.workers, [&](const numbers& items, numbers& results) {
    tandem::parallel_for(pool.get(), std::size_t{0}, items.size(),
                         [&](std::size_t i) { results[i] = work_on(items[i]); });
  });
}

}  // namespace map
