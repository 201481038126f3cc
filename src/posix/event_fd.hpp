// A pollable flag: how one thread gets another out of poll_until.
//
// Owns an eventfd. Not for waits on memory only; a futex is cheaper there.
#ifndef TANDEM_POSIX_EVENT_FD_HPP
#define TANDEM_POSIX_EVENT_FD_HPP

#include "posix/unique_fd.hpp"

#include <utility>

namespace tandem::posix {

/// A flag that can be raised from any thread (or process that holds the descriptor) and polled.
class event_fd {
 public:
  /// Creates the flag, lowered. @throws std::system_error.
  event_fd();

  /// The flag that another process sent as `fd`.
  explicit event_fd(unique_fd fd) noexcept : fd_(std::move(fd)) {}

  /// Raises the flag: fd() becomes readable. Async-signal-safe, never blocks. Twice is the same as once. False if there is no such
  /// flag: somebody has closed its descriptor.
  bool raise() const noexcept;

  /// Lowers the flag; returns whether it was up. Look for work only after lowering it, else a raise gets
  /// lost.
  bool lower() const noexcept;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  unique_fd fd_;
};

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_EVENT_FD_HPP
