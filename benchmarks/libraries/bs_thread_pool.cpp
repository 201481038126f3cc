#include "libraries/bs_thread_pool.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

pool_library bs_thread_pool_library() { return on_all_workloads<bs_thread_pool>("BS::thread_pool"); }

}  // namespace libraries
