// 100,000 empty tasks whose futures are taken as they finish. Submitting is part of it. Python does a tenth of them.
#ifndef TANDEM_BENCH_AS_COMPLETED_WORKLOAD_HPP
#define TANDEM_BENCH_AS_COMPLETED_WORKLOAD_HPP

#include <cstddef>

#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace as_completed {

using bench::figures;

figures run_tandem(const bench::conditions& c);
figures run_tandem_in_order(const bench::conditions& c);
figures run_python(const bench::conditions& c);

inline std::size_t count(const bench::conditions& c) { return c.pick<std::size_t>(100'000, 2000); }

}  // namespace as_completed

#endif
