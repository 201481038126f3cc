#include "libraries/taskflow.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

pool_library taskflow_library() { return on_all_workloads<taskflow_pool>("Taskflow async"); }

}  // namespace libraries
