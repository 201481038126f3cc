#include "libraries/tandem.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

pool_library tandem_library() { return on_all_workloads<tandem_pool>("tandem"); }

}  // namespace libraries
