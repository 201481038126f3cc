// All results as JSON, for other programs.
#ifndef TANDEM_BENCH_JSON_HPP
#define TANDEM_BENCH_JSON_HPP

#include <string>
#include <vector>

#include "bench/result.hpp"
#include "bench/setting.hpp"

namespace bench {

[[nodiscard]] std::string json_of(const setting& on, const std::vector<workload_result>& results);

}  // namespace bench

#endif
