// What preload() was given in this process.
#ifndef TANDEM_PROCESS_POOL_PRELOAD_HPP
#define TANDEM_PROCESS_POOL_PRELOAD_HPP

#include "process_pool/hook.hpp"

#include <vector>

namespace tandem::process {

/// In the order of the calls. Thread-safe.
[[nodiscard]] std::vector<hook> preloads();

}  // namespace tandem::process

#endif
