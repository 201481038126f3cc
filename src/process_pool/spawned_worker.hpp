// A worker that is a fresh start of the program (start_method::spawn). Owns how the fork server hands it what a forked one
// simply has: descriptors with agreed numbers, and the pool's greeting in a memory object.
#ifndef TANDEM_PROCESS_POOL_SPAWNED_WORKER_HPP
#define TANDEM_PROCESS_POOL_SPAWNED_WORKER_HPP

#include "posix/process.hpp"
#include "posix/unique_fd.hpp"

#include "process_pool/protocol.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace tandem::process {

/// In a child of the server `parent`: becomes worker `id`, whose descriptors `fds` are (in the order of start_fd) and to whom
/// `greeting` tells the rest. Does not return. Throws std::system_error if the program cannot be started.
[[noreturn]] void become_spawned_worker(pid_t parent, std::uint32_t id, int greeting,
                                        std::span<const posix::unique_fd> fds);

/// In the fresh start, called by init(): what stands behind worker_argument. The exit code.
[[nodiscard]] int run_spawned_worker(std::string_view argument);

}  // namespace tandem::process

#endif
