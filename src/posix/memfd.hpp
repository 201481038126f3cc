// Memory that processes share, without a name in any file system.
//
// Owns creating, sealing and mapping it, and copying to and from it. Must not know what lies in it.
#ifndef TANDEM_POSIX_MEMFD_HPP
#define TANDEM_POSIX_MEMFD_HPP

#include "posix/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace tandem::posix {

/// What a memfd no longer permits; combine with |. Seals cannot be taken back.
enum class seals : unsigned {
  none = 0,
  shrink = 1U << 0U,  ///< Without it a peer could truncate the file, and our reads get SIGBUS.
  grow = 1U << 1U,
  write = 1U << 2U,  ///< Content is final. Refused (EBUSY) while a writable shared mapping exists.
  seal = 1U << 3U,   ///< No further seals.
};
[[nodiscard]] constexpr seals operator|(seals a, seals b) noexcept {
  return static_cast<seals>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// Creates anonymous shared memory of `size` zero bytes: close-on-exec, not executable, sealable.
/// `name` is only a label that shows up in /proc/<pid>/maps (at most 249 bytes).
/// Pages take memory when first touched. The memory is gone with the last descriptor and mapping, however the
/// processes die.
/// @throws std::system_error if the kernel has no descriptor (EMFILE) or no memory (ENOMEM), or if `size` is
/// above the process's file size limit (EFBIG).
[[nodiscard]] unique_fd create_memfd(const char* name, std::size_t size);

/// Adds `which` to the seals of the memfd. @throws std::system_error (EBUSY: see seals::write; EPERM:
/// sealed).
void seal(int fd, seals which);

/// Tells whether `fd` is a memfd that has all of `which`; false for anything that is no memfd. Never throws.
[[nodiscard]] bool has_seals(int fd, seals which) noexcept;

/// Returns the size in bytes of the open file. @throws std::system_error.
[[nodiscard]] std::size_t file_size(int fd);

/// Returns how many bytes of memory a memfd has: pages that were never written are not there. @throws
/// std::system_error.
[[nodiscard]] std::size_t allocated_size(int fd);

/// Gets memory for all of a memfd's first `size` bytes, which may not be 0, as if they had been written: none is missing
/// when it is touched. @throws std::system_error (ENOMEM, ENOSPC).
void allocate(int fd, std::size_t size);

/// Gives the memory of a memfd's first `size` bytes back, whoever has it mapped: they read zeros from then on. Does
/// nothing if it is sealed against writing.
void discard(int fd, std::size_t size) noexcept;

/// A mapped range of a file; unmapped on destruction, move-only. The descriptor may be closed meanwhile.
class mapping {
 public:
  mapping() noexcept = default;
  mapping(mapping&& other) noexcept;
  mapping& operator=(mapping&& other) noexcept;
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;
  ~mapping();

  /// Maps the first `size` bytes for reading and writing, shared with every process that does the same.
  /// A `size` of 0 gives an empty mapping. Mapping more than the file has is refused (EINVAL), because
  /// touching the excess would raise SIGBUS; only seals::shrink guarantees that it stays so.
  /// @throws std::system_error.
  [[nodiscard]] static mapping shared(int fd, std::size_t size);

  /// Maps the first `size` bytes for reading only. Private, because kernels before 6.7 refuse any shared
  /// mapping of a write-sealed memfd; what others write is seen nevertheless unless the memfd is
  /// write-sealed.
  /// @throws std::system_error.
  [[nodiscard]] static mapping read_only(int fd, std::size_t size);

  /// Maps a memfd that came from a process we do not trust: all of it, read-only, after checking that it is a
  /// memfd sealed against shrinking, growing and writing (EPERM if not), so that neither SIGBUS nor a change
  /// under our eyes can follow.
  /// @throws std::system_error.
  [[nodiscard]] static mapping sealed(int fd);

  [[nodiscard]] std::byte* data() noexcept { return data_; }
  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }  ///< In bytes, as asked for.
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return {data_, size_}; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] explicit operator bool() const noexcept { return data_ != nullptr; }

  /// Unmaps at once.
  void reset() noexcept;
  /// Children that are forked from now on do not have it. @throws std::system_error.
  void keep_from_forks();

 private:
  mapping(std::byte* data, std::size_t size) noexcept : data_(data), size_(size) {}
  static mapping map(int fd, std::size_t size, int protection, int flags);

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Reads `into.size()` bytes from `offset` on (any size: Linux moves at most 2 GiB - 4 KiB a call).
/// Returns how many bytes were read: fewer than asked for only at the end of the file.
/// @throws std::system_error.
std::size_t pread_all(int fd, std::span<std::byte> into, std::uint64_t offset);

/// Writes all of `from` at `offset` (any size). @throws std::system_error; the file may then hold a part.
void pwrite_all(int fd, std::span<const std::byte> from, std::uint64_t offset);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_MEMFD_HPP
