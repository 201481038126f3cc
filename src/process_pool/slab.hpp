// Memory for large payloads, in memfds. Owns one such piece, and keeping some for use again: to give a process new pages
// costs more than to copy into old ones. Knows nothing of who reads them (slab_link.hpp).
#ifndef TANDEM_PROCESS_POOL_SLAB_HPP
#define TANDEM_PROCESS_POOL_SLAB_HPP

#include "posix/memfd.hpp"
#include "posix/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace tandem::process {

/// How large a slab is that is used again. Takes address space only: pages are there once they are touched.
inline constexpr std::size_t slab_bytes = std::size_t{64} << 20U;

/// A memfd that is sealed against resizing, and our writable mapping of it. Of slab_bytes, and then peers may keep a
/// mapping of it; or larger, and then it is used once. Move-only.
class slab {
 public:
  slab() noexcept = default;
  /// Of at least `size` bytes. Throws std::system_error.
  explicit slab(std::size_t size);
  slab(slab&& other) noexcept = default;
  slab& operator=(slab&& other) noexcept;
  /// Takes the pages away from peers that have it mapped, too: they are not told that it is gone.
  ~slab();

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  /// No other slab that this process has made has it; never 0.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return memory_.bytes(); }
  [[nodiscard]] std::size_t size() const noexcept { return memory_.size(); }
  /// It may come again, so peers keep it.
  [[nodiscard]] bool is_kept() const noexcept { return size() == slab_bytes; }

  /// Its first `count` bytes have been written. touched() is the most that was ever said.
  void touch(std::size_t count) noexcept {
    if (count > touched_) touched_ = count;
  }
  [[nodiscard]] std::size_t touched() const noexcept { return touched_; }

  /// For the end of this process: whoever has it mapped may not have read it yet.
  void leave_to_peers() noexcept { fd_.reset(); }

 private:
  void discard() noexcept;

  std::uint64_t id_ = 0;
  std::uint32_t fork_generation_ = 0;  // a forked child that goes must not take the pages from its parent
  std::size_t touched_ = 0;
  posix::unique_fd fd_;
  posix::mapping memory_;
};

/// Slabs that nobody uses at the moment. Thread-safe.
class slab_cache {
 public:
  /// Keeps as many as have not more than `most_bytes` of memory together.
  explicit slab_cache(std::size_t most_bytes) noexcept : most_bytes_(most_bytes) {}

  /// One of at least `size` bytes: that with the least memory that suffices. Throws std::system_error.
  [[nodiscard]] slab take(std::size_t size);
  /// Nobody else reads it any more.
  void give(slab used) noexcept;

 private:
  static constexpr std::size_t most_slabs = 16;  // each has a descriptor

  [[nodiscard]] slab take_free(std::size_t size) noexcept;
  void drop_all() noexcept;

  const std::size_t most_bytes_;
  std::mutex mutex_;  // guards what follows
  std::vector<slab> free_;
  std::size_t bytes_ = 0;  // of free_, touched
};

}  // namespace tandem::process

#endif
