// Sending and receiving memfds.
#include "process_pool/memfd_mail.hpp"

#include <tandem/error.hpp>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace tandem::process {

bool is_shortage(const std::system_error& error) noexcept {
  switch (error.code().value()) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ETOOMANYREFS:
      return true;
    default:
      return false;
  }
}

void memfd_mail::send(int socket, posix::blocking mode) const {
  if (empty()) return;
  const posix::send_status status = posix::send_message(socket, std::as_bytes(std::span(tags_).first(count_)),
                                                        std::span(fds_).first(count_), mode);
  if (status == posix::send_status::would_block)
    throw std::system_error(ENOBUFS, std::generic_category(), "sending memory to a worker that reads none");
}

void memfd_inbox::receive(int socket) {
  came_.clear();
  std::array<std::uint64_t, memfd_mail::max_memfds> tags{};
  // It was sent before the slot's state said so: nothing to wait for.
  posix::received got =
      posix::recv_message(socket, std::as_writable_bytes(std::span(tags)), tags.size(), posix::blocking::no);
  const std::size_t count = got.size / sizeof(tags[0]);
  if (got.status != posix::recv_status::message || got.size % sizeof(tags[0]) != 0 || got.truncated ||
      got.fds.size() > count || (got.fds.size() < count && !got.descriptors_lost)) {
    throw decode_error(
        "tandem: a large payload did not arrive with its message: the peer died or is out of order");
  }
  // Those that were lost are the last ones.
  for (std::size_t i = 0; i < count; ++i)
    came_.insert_or_assign(tags[i], i < got.fds.size() ? std::move(got.fds[i]) : posix::unique_fd());
}

posix::unique_fd memfd_inbox::take(memfd_kind kind, std::uint64_t id) {
  const auto it = came_.find(memfd_mail::tag_of(kind, id));
  if (it == came_.end()) {
    throw decode_error(
        "tandem: a message speaks of memory that did not come with it: the peer is out of order");
  }
  posix::unique_fd memfd = std::move(it->second);
  came_.erase(it);
  if (!memfd) {
    throw std::system_error(EMFILE, std::generic_category(),
                            "tandem: a large payload arrived and was lost, because this process may not open "
                            "another descriptor (ulimit -n)");
  }
  return memfd;
}

}  // namespace tandem::process
