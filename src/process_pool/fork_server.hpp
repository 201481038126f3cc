// The fork server: a clean, single-threaded process that makes workers, tells how they ended, and ends with its pool.
#ifndef TANDEM_PROCESS_POOL_FORK_SERVER_HPP
#define TANDEM_PROCESS_POOL_FORK_SERVER_HPP

#include "posix/unique_fd.hpp"

namespace tandem::process {

/// Serves the pool at the other end of `socket` until it closes that end; then kills what is left. The exit code.
/// Called in a process that has one thread and belongs to nobody else.
[[nodiscard]] int serve_pool(posix::unique_fd socket);

/// Writes out what the buffers of stdio and std::cout hold. A process that ends like a program does it too, so whatever
/// is in them at a fork is written twice.
void flush_standard_streams() noexcept;

}  // namespace tandem::process

#endif
