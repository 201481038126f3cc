// The pool's end of its fork server: starts it, sends commands, receives reports, sees it end.
#ifndef TANDEM_PROCESS_POOL_SERVER_LINK_HPP
#define TANDEM_PROCESS_POOL_SERVER_LINK_HPP

#include "posix/spawn.hpp"
#include "posix/unique_fd.hpp"

#include "process_pool/protocol.hpp"

#include <tandem/process_pool.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

namespace tandem::process {

/// For the constructor of a pool that the kernel has refused something: names the call, the likely cause and what to do.
[[noreturn]] void throw_start_error(const std::system_error& refused);

class server_link {
 public:
  server_link() noexcept = default;
  server_link(server_link&&) noexcept = default;
  server_link& operator=(server_link&&) noexcept = default;
  ~server_link() { close(); }

  /// Starts a fork server and waits until it is ready. Throws start_error.
  [[nodiscard]] static server_link start(start_method how, const hello& config);

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  /// To poll: readable when there is a report or the server is gone.
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

  /// False if the server is gone.
  bool send(const command& order, std::span<const int> fds = {});

  struct incoming {
    bool end = false;  // the server is gone
    std::optional<report> message;
    posix::unique_fd pidfd;  // with report::kind::started
  };
  /// Does not block; neither `end` nor a message: there is nothing now.
  [[nodiscard]] incoming receive();

  /// Lets the server end, with all its workers, and waits until it has.
  void close() noexcept;

 private:
  posix::unique_fd socket_;
  posix::detached_process server_;
};

}  // namespace tandem::process

#endif
