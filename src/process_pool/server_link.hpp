// The pool's end of its fork server: starts it, sends commands, receives reports, sees it end.
#ifndef TANDEM_PROCESS_POOL_SERVER_LINK_HPP
#define TANDEM_PROCESS_POOL_SERVER_LINK_HPP

#include "posix/clock.hpp"
#include "posix/socket.hpp"
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
  /// What to poll for reports, and for the server's end, which is to be said to note_end(): its end of the socket may be in
  /// others' hands, who keep it open.
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] int end_fd() const noexcept { return server_.pidfd.get(); }
  void note_end() noexcept { ended_ = true; }

  /// Tells the server, and wakes it should somebody have stopped it. Does not block: a server that waits for its reports to be
  /// read reads no commands, and there may be many of both. @throws std::system_error, std::bad_alloc: nothing is sent.
  posix::send_status send(const command& order, std::span<const int> fds = {});
  /// A server that somebody has stopped would reap nobody.
  void wake() noexcept;

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
  // True if there is something to receive, false at the deadline.
  [[nodiscard]] bool await(posix::steady_time deadline);

  posix::unique_fd socket_;
  posix::detached_process server_;
  bool ended_ = false;
};

}  // namespace tandem::process

#endif
