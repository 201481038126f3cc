// Messages, with file descriptors attached, between two processes.
//
// Owns the SOCK_SEQPACKET pair and the ancillary data. Must not know what a message means.
#ifndef TANDEM_POSIX_SOCKET_HPP
#define TANDEM_POSIX_SOCKET_HPP

#include "posix/unique_fd.hpp"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace tandem::posix {

/// Whether a call may sleep.
enum class blocking : bool { no, yes };

/// The most descriptors that Linux lets one message carry (SCM_MAX_FD).
inline constexpr std::size_t max_descriptors = 253;

/// Creates two connected SOCK_SEQPACKET sockets: reliable, in order, message boundaries kept. Close-on-exec,
/// never one of descriptors 0 to 2. When all copies of one end are closed - for example because its process
/// died - the other end reads what was still sent and then end-of-file.
/// @throws std::system_error.
[[nodiscard]] std::pair<unique_fd, unique_fd> make_socket_pair();

/// How send_message ended.
enum class send_status {
  sent,
  would_block,  ///< blocking::no, and the peer does not read fast enough; nothing was sent.
  closed,       ///< The peer has closed its end; nothing was sent, and no SIGPIPE raised.
};

/// Sends one message: all of it or nothing. `data` must not be empty (an empty message could not be told from
/// the end of file) and not above the socket buffer (about 200 KB); at most max_descriptors `fds`, which stay
/// open here. Thread-safe. Blocks, if permitted, while the peer's queue is full.
/// @throws std::invalid_argument for empty data or too many descriptors; std::system_error (EMSGSIZE: too
/// long; ETOOMANYREFS: too many descriptors under way; EBADF).
send_status send_message(int socket, std::span<const std::byte> data, std::span<const int> fds = {},
                         blocking mode = blocking::yes);

/// How recv_message ended.
enum class recv_status {
  message,
  would_block,  ///< blocking::no, and there is no message now.
  end_of_file,  ///< The peer has closed its end, and all that it had sent has been read.
};

/// One received message.
struct received {
  recv_status status = recv_status::end_of_file;
  std::size_t size = 0;    ///< Bytes stored in the buffer.
  bool truncated = false;  ///< The message was longer than the buffer; its rest is lost.
  bool descriptors_lost =
      false;                   ///< More descriptors than asked for, or than this process may open; see fds.
  std::vector<unique_fd> fds;  ///< Those that came through, close-on-exec; surplus ones have been closed.
};

/// Receives one message into `buffer`, with up to `max_fds` descriptors. Nothing that a peer sends leaks a
/// descriptor or makes this throw: bad messages are flagged in the result.
/// One thread at a time should read a socket. Blocks if permitted.
/// @throws std::system_error if `socket` is no socket, and the like; std::bad_alloc: the message is lost.
[[nodiscard]] received recv_message(int socket, std::span<std::byte> buffer, std::size_t max_fds = 0,
                                    blocking mode = blocking::yes);

/// Ends the connection for both ends and for all copies of this one, also those that forked children hold: the peer
/// reads what was sent and then end-of-file. Never fails.
void shut_down(int socket) noexcept;

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_SOCKET_HPP
