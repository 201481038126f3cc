// The worker process: takes tasks from its ring, runs them, leaves. It knows its parent only by the ring, a socket
// for large payloads and a bell.
#ifndef TANDEM_PROCESS_POOL_WORKER_HPP
#define TANDEM_PROCESS_POOL_WORKER_HPP

#include "posix/event_fd.hpp"
#include "posix/unique_fd.hpp"

#include "process_pool/protocol.hpp"
#include "process_pool/ring.hpp"

namespace tandem::process {

/// What a worker is born with.
struct worker_setup {
  process::ring ring;
  posix::unique_fd socket;
  posix::event_fd bell;
  int index = 0;  // its place in the pool: prefix-index
};

/// Serves the pool that has greeted with `config`, and whose process has `modules`, until the ring says that nothing more will
/// come; the exit code. Called in a process of its own.
[[nodiscard]] int run_worker(worker_setup setup, const hello& config, const detail::peer_modules& modules);

/// How many pools lie between the user's first process and this one: 0 outside of workers.
[[nodiscard]] int pool_depth() noexcept;

}  // namespace tandem::process

#endif
