#include "skynet/workload.hpp"

namespace skynet {
figures run_serial(const bench::conditions& c) {
  return measure(c, [](long leaves) { return serial(0, leaves); });
}

}  // namespace skynet
