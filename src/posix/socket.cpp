#include "posix/socket.hpp"

#include "posix/check.hpp"
#include "posix/descriptors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>

#include <sys/socket.h>
#include <sys/uio.h>

namespace tandem::posix {
namespace {

/// Room for the most descriptors that can arrive. Always all of it: too little would make the kernel drop the
/// surplus silently, while surplus that did arrive can be closed and reported.
struct control_buffer {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(max_descriptors * sizeof(int))> bytes;
};

/// Takes ownership of all descriptors that came with `message`: the first `most` go into `into`, which has
/// room for them; surplus ones are closed. Returns how many came.
std::size_t take_descriptors(msghdr& message, std::size_t most, std::vector<unique_fd>& into) {
  std::size_t total = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof number, sizeof number);
      unique_fd fd(number);
      if (total++ < most) into.push_back(std::move(fd));
    }
  }
  return total;
}

}  // namespace

std::pair<unique_fd, unique_fd> make_socket_pair() {
  int ends[2] = {-1, -1};
  checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
  unique_fd first(ends[0]);
  unique_fd second(ends[1]);
  return {above_stdio(std::move(first)), above_stdio(std::move(second))};
}

send_status send_message(int socket, std::span<const std::byte> data, std::span<const int> fds,
                         blocking mode) {
  if (data.empty()) throw std::invalid_argument("send_message: an empty message looks like end-of-file");
  if (fds.size() > max_descriptors) {
    throw std::invalid_argument("send_message: " + std::to_string(fds.size()) + " descriptors; at most " +
                                std::to_string(max_descriptors) + " fit into one message");
  }

  iovec part{const_cast<std::byte*>(data.data()), data.size()};  // sendmsg does not write to it.
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  control_buffer control;
  if (!fds.empty()) {
    std::memset(control.bytes.data(), 0, control.bytes.size());
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }

  const int flags = MSG_NOSIGNAL | (mode == blocking::no ? MSG_DONTWAIT : 0);
  const ssize_t sent = retry_on_eintr([&] { return ::sendmsg(socket, &message, flags); });
  if (sent >= 0) return send_status::sent;
  switch (errno) {
    case EAGAIN:
      return send_status::would_block;
    case EPIPE:
    case ECONNRESET:  // The peer closed with messages of ours unread; told once, EPIPE from then on.
      return send_status::closed;
    default:
      throw_errno("sending a message");
  }
}

received recv_message(int socket, std::span<std::byte> buffer, std::size_t max_fds, blocking mode) {
  received result;
  max_fds = std::min(max_fds, max_descriptors);
  // Before anything arrives: running out of memory later would leak descriptors. But the message is taken all the same, or
  // the next one would be taken for it.
  bool out_of_memory = false;
  try {
    result.fds.reserve(max_fds);
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
    max_fds = 0;
  }
  iovec part{buffer.data(), buffer.size()};
  control_buffer control;
  msghdr message{};
  ssize_t size = -1;
  do {
    message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const int flags = MSG_CMSG_CLOEXEC | (mode == blocking::no ? MSG_DONTWAIT : 0);
    size = ::recvmsg(socket, &message, flags);
    // ECONNRESET: the peer closed with messages of ours unread. The kernel tells it once, before the messages
    // that the peer had sent, which are still to be read.
  } while (size < 0 && (errno == EINTR || errno == ECONNRESET));

  if (size < 0) {
    if (errno != EAGAIN) throw_errno("receiving a message");
    result.status = recv_status::would_block;
    return result;
  }
  const std::size_t descriptors = take_descriptors(message, max_fds, result.fds);
  if (out_of_memory) throw std::bad_alloc();
  if (size == 0 && descriptors == 0) return result;  // End of file.
  result.status = recv_status::message;
  result.size = static_cast<std::size_t>(size);
  result.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  result.descriptors_lost = (message.msg_flags & MSG_CTRUNC) != 0 || descriptors > max_fds;
  // A received descriptor takes the lowest free number, which is below 3 where the program was started
  // without stdio.
  for (unique_fd& fd : result.fds) fd = above_stdio(std::move(fd));
  return result;
}

void shut_down(int socket) noexcept {
  const int error = errno;
  (void)::shutdown(socket, SHUT_RDWR);
  errno = error;
}

}  // namespace tandem::posix
