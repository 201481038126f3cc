// How encoded bytes leave a process: in the slot, in its region, or in a memfd of their own. Owns the way from small
// to large while a writer is at work, and the way back to bytes. Knows nothing of what they mean.
#ifndef TANDEM_PROCESS_POOL_PAYLOAD_HPP
#define TANDEM_PROCESS_POOL_PAYLOAD_HPP

#include "posix/memfd.hpp"
#include "posix/unique_fd.hpp"

#include "process_pool/ring.hpp"

#include <tandem/detail/codec_buffer.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <span>

namespace tandem::process {

/// Where a writer goes on when its first, small buffer is full: to a region (given, or made when needed), then to a
/// memfd that grows.
class overflow final : public writer_overflow {
 public:
  /// The region is made on the heap if it is needed.
  overflow() noexcept = default;
  /// The region is given.
  explicit overflow(std::span<std::byte> region) noexcept : region_(region) {}

  std::span<std::byte> grow(std::span<const std::byte> written, std::size_t needed) override;

  [[nodiscard]] place where() const noexcept { return place_; }
  /// What lies in the region; only if where() is in_region.
  [[nodiscard]] std::span<const std::byte> region() const noexcept { return region_; }
  /// The memfd, sealed and ready to be sent; only if where() is in_memfd. Throws std::system_error.
  [[nodiscard]] posix::unique_fd seal();

 private:
  place place_ = place::in_slot;
  std::unique_ptr<std::byte[]> own_region_;
  std::span<std::byte> region_;
  posix::unique_fd memfd_;
  posix::mapping memory_;
};

/// Sends the memfd of slot `sequence` over a worker's socket. Throws std::system_error; false if the peer is gone.
bool send_memfd(int socket, std::uint64_t sequence, posix::unique_fd memfd);

/// Takes memfds from a worker's socket and hands them out by sequence number: the slots may be looked at in another
/// order, or never.
class memfd_inbox {
 public:
  /// The bytes of slot `sequence`, whose memfd has been sent. `size` and the memfd are checked before they are
  /// believed. Throws decode_error.
  [[nodiscard]] posix::mapping take(int socket, std::uint64_t sequence, std::uint64_t size);

 private:
  std::map<std::uint64_t, posix::unique_fd> waiting_;
};

}  // namespace tandem::process

#endif
