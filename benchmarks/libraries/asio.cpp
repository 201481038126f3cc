#include "libraries/asio.hpp"

#include "libraries/on_all_workloads.hpp"

namespace libraries {

pool_library asio_library() { return on_all_workloads<asio_pool>("Boost.Asio post"); }

}  // namespace libraries
