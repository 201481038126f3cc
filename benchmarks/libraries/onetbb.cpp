#include "libraries/onetbb.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

pool_library onetbb_library() { return on_all_workloads<onetbb_pool>("oneTBB enqueue + std::promise"); }

}  // namespace libraries
