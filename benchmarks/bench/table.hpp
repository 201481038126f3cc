// A workload's result as text for the terminal.
#ifndef TANDEM_BENCH_TABLE_HPP
#define TANDEM_BENCH_TABLE_HPP

#include <string>

#include "bench/result.hpp"

namespace bench {

[[nodiscard]] std::string table_of(const workload_result& result);

}  // namespace bench

#endif
