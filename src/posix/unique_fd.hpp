// The owner of one file descriptor.
//
// Owns closing it, exactly once. Must not know what the descriptor is.
#ifndef TANDEM_POSIX_UNIQUE_FD_HPP
#define TANDEM_POSIX_UNIQUE_FD_HPP

#include <utility>

namespace tandem::posix {

/// Owns a file descriptor and closes it on destruction; move-only. -1 means none.
class unique_fd {
 public:
  constexpr unique_fd() noexcept = default;

  /// Takes over `fd`; -1 for none.
  constexpr explicit unique_fd(int fd) noexcept : fd_(fd) {}

  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd() { reset(); }

  /// Returns the descriptor, still owned; -1 if none.
  [[nodiscard]] constexpr int get() const noexcept { return fd_; }

  [[nodiscard]] constexpr explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor up without closing it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  /// Closes the descriptor, if any, and takes over `fd`. Leaves errno alone, so that it can run between a
  /// failed call and the reading of errno.
  void reset(int fd = -1) noexcept;

  /// Returns a second descriptor (close-on-exec, never 0 to 2) for the same open file.
  /// @throws std::system_error if none can be had (EMFILE), or if this one is empty (EBADF).
  [[nodiscard]] unique_fd duplicate() const;

 private:
  int fd_ = -1;
};

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_UNIQUE_FD_HPP
