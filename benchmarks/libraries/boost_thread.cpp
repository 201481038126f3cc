#include "libraries/boost_thread.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

pool_library boost_thread_library() {
  return on_all_workloads<boost_thread_pool>("Boost.Thread basic_thread_pool");
}

}  // namespace libraries
