// The one message that may go with a slot over the worker's socket: memfds, each with a number. Owns its form. Both sides
// go through the slots in order, and a slot says whether it has a message, so none is ever looked for.
#ifndef TANDEM_PROCESS_POOL_MEMFD_MAIL_HPP
#define TANDEM_PROCESS_POOL_MEMFD_MAIL_HPP

#include "posix/socket.hpp"
#include "posix/unique_fd.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <system_error>

namespace tandem::process {

/// Whose number a memfd has: of a slab, or of memory that is shared (sealed_memory).
enum class memfd_kind : std::uint64_t { slab = 0, buffer = 1 };

/// Tells whether a later try may do better: too many descriptors are open or under way, or there is no memory.
[[nodiscard]] bool is_shortage(const std::system_error& error) noexcept;

/// A message that is being put together. Not more than max_memfds.
class memfd_mail {
 public:
  static constexpr std::size_t max_memfds = posix::max_descriptors;

  void add(memfd_kind kind, std::uint64_t id, int memfd) noexcept {
    tags_[count_] = tag_of(kind, id);
    fds_[count_++] = memfd;
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// Sends it, if it is not empty; a peer that is gone is no error. Throws std::system_error: with blocking::no also
  /// when too much is under way that the peer has not read (ENOBUFS).
  void send(int socket, posix::blocking mode) const;

  [[nodiscard]] static std::uint64_t tag_of(memfd_kind kind, std::uint64_t id) noexcept {
    return id << 1U | static_cast<std::uint64_t>(kind);
  }

 private:
  std::array<std::uint64_t, max_memfds> tags_;
  std::array<int, max_memfds> fds_;
  std::size_t count_ = 0;
};

/// What came with the slot that is being looked at. One thread at a time.
class memfd_inbox {
 public:
  /// Reads the slot's message, which has been sent. What was left of the one before is dropped. Throws decode_error.
  void receive(int socket);
  /// Throws decode_error if there is none; std::system_error if this process had no descriptor free when it came.
  [[nodiscard]] posix::unique_fd take(memfd_kind kind, std::uint64_t id);
  void clear() noexcept { came_.clear(); }

 private:
  std::map<std::uint64_t, posix::unique_fd> came_;  // by tag
};

}  // namespace tandem::process

#endif
