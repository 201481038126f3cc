#include "map/workload.hpp"

namespace map {
namespace {

// Against itself there is no overhead to speak of.
figures time_only(figures all) {
  all.back().reset();
  return all;
}

}  // namespace

figures run_serial(const bench::conditions& c) { return time_only(measure_into(c, 1, serial_into)); }

figures run_serial_making(const bench::conditions& c) {
  return time_only(measure_making(c, 1, serial_making));
}

}  // namespace map
