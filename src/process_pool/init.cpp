// init(): notes that main has called it; in a fork server or a spawned worker, serves and never returns.
#include <tandem/init.hpp>

#include "posix/socket.hpp"
#include "posix/spawn.hpp"

#include "process_pool/fork_server.hpp"
#include "process_pool/init.hpp"
#include "process_pool/protocol.hpp"
#include "process_pool/spawned_worker.hpp"

#include <atomic>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace tandem {

namespace process {

namespace {
std::atomic<bool> called{false};
}

bool init_was_called() noexcept { return called.load(std::memory_order_acquire); }

}  // namespace process

void init(int argc, const char* const* argv) {
  if (process::called.exchange(true, std::memory_order_acq_rel)) return;
  if (argc != 2) return;
  std::string_view argument = argv[1];
  if (argument.starts_with(process::worker_argument)) {
    argument.remove_prefix(sizeof(process::worker_argument) - 1);
    posix::exit_now(process::run_spawned_worker(argument));
  }
  if (!argument.starts_with(process::server_argument)) return;
  argument.remove_prefix(sizeof(process::server_argument) - 1);
  int socket = -1;
  const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), socket);
  if (error != std::errc() || end != argument.data() + argument.size() || socket < 3) {
    std::fprintf(stderr, "tandem: %s is for the library's own use\n", argv[1]);
    posix::exit_now(2);
  }
  posix::exit_now(process::serve_pool(posix::unique_fd(socket)));
}

}  // namespace tandem
