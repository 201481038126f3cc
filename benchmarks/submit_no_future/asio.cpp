#include "libraries/asio.hpp"
#include "submit_no_future/workload.hpp"

namespace submit_no_future {
figures run_asio(const bench::conditions& c) {
  bench::warm<libraries::asio_pool> pool(c.workers);
  return measure_to_the_end(
      c, [&](auto task) { boost::asio::post(pool.get(), task); }, [&] { pool.get().join(); });
}

}  // namespace submit_no_future
