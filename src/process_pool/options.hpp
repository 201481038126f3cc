// What a process_pool may be asked for.
#ifndef TANDEM_PROCESS_POOL_OPTIONS_HPP
#define TANDEM_PROCESS_POOL_OPTIONS_HPP

#include "process_pool/conditions.hpp"

#include <tandem/process_pool.hpp>

namespace tandem::process {

/// The same, made definite: directories absolute, CPUs in order, the number of workers chosen. Throws
/// std::invalid_argument that names field and value.
[[nodiscard]] process_pool_options checked(process_pool_options options);

/// Throws std::invalid_argument if so many workers cannot be numbered; `what` says whose number it is.
void check_below_limit(const char* what, int workers);

/// How many workers there are if the user does not say.
[[nodiscard]] int default_workers(const process_pool_options& options);

/// What of them the workers have to know.
[[nodiscard]] conditions conditions_in(const process_pool_options& options);

}  // namespace tandem::process

#endif
