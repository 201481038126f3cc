// Whether main has called tandem::init().
#ifndef TANDEM_PROCESS_POOL_INIT_HPP
#define TANDEM_PROCESS_POOL_INIT_HPP

namespace tandem::process {

[[nodiscard]] bool init_was_called() noexcept;

}  // namespace tandem::process

#endif
