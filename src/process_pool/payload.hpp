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
#include <mutex>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace tandem::process {

/// A memfd, sealed against resizing, and our writable mapping of it.
struct large_buffer {
  posix::unique_fd fd;
  posix::mapping memory;

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd); }
};

/// Buffers for large payloads that are used again: giving a process new pages costs ten times what copying into old
/// ones does. Keeps few, and none that is very large. Thread-safe.
class buffer_cache {
 public:
  /// One of at least `size` bytes. Throws std::system_error.
  [[nodiscard]] large_buffer take(std::size_t size);
  /// Nobody else uses it any more.
  void give(large_buffer buffer) noexcept;

 private:
  static constexpr std::size_t most_buffers = 4;
  static constexpr std::size_t largest_kept = std::size_t{32} << 20U;

  std::mutex mutex_;  // guards free_
  std::vector<large_buffer> free_;
};

/// Where a writer goes on when its first, small buffer is full: to a region (given, or made when needed), then to a
/// large buffer that grows.
class overflow final : public writer_overflow {
 public:
  /// The region is made on the heap if it is needed.
  explicit overflow(buffer_cache& cache) noexcept : cache_(cache) {}
  /// The region is given.
  overflow(buffer_cache& cache, std::span<std::byte> region) noexcept : cache_(cache), region_(region) {}
  overflow(const overflow&) = delete;
  overflow& operator=(const overflow&) = delete;
  ~overflow() {
    if (large_) cache_.give(std::move(large_));
  }

  std::span<std::byte> grow(std::span<const std::byte> written, std::size_t needed) override;

  [[nodiscard]] place where() const noexcept { return place_; }
  /// It has thrown because there is no descriptor or no memory to be had at the moment.
  [[nodiscard]] bool starved() const noexcept { return starved_; }
  /// The buffer, to be kept until the peer has read it; only if where() is in_memfd.
  [[nodiscard]] large_buffer release() noexcept { return std::move(large_); }

 private:
  buffer_cache& cache_;
  place place_ = place::in_slot;
  bool starved_ = false;
  std::unique_ptr<std::byte[]> own_region_;
  std::span<std::byte> region_;
  large_buffer large_;
};

/// Tells whether a later try may do better: too many descriptors are open or under way, or there is no memory.
[[nodiscard]] bool is_shortage(const std::system_error& error) noexcept;

/// Sends the memfd of slot `sequence` over a worker's socket. Throws std::system_error; false if the peer is gone.
bool send_memfd(int socket, std::uint64_t sequence, int memfd);

/// Takes memfds from a worker's socket and hands them out by sequence number: the slots may be looked at in another
/// order, or never.
class memfd_inbox {
 public:
  /// The bytes of slot `sequence`, whose memfd has been sent. `size` and the memfd are checked before they are
  /// believed. Throws decode_error; std::system_error if this process had no descriptor free when it came.
  [[nodiscard]] posix::mapping take(int socket, std::uint64_t sequence, std::uint64_t size);

 private:
  std::map<std::uint64_t, posix::unique_fd> waiting_;
};

}  // namespace tandem::process

#endif
