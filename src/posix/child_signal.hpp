// Being told that a child has ended, whichever: also one that was adopted, of which nobody has a pidfd.
//
// Owns a signalfd for SIGCHLD. For a process that belongs to the library only, such as the fork server.
#ifndef TANDEM_POSIX_CHILD_SIGNAL_HPP
#define TANDEM_POSIX_CHILD_SIGNAL_HPP

#include "posix/unique_fd.hpp"

#include <csignal>

namespace tandem::posix {

class child_signal {
 public:
  /// Blocks SIGCHLD in the calling thread, for as long as it lives. @throws std::system_error
  child_signal();
  child_signal(const child_signal&) = delete;
  child_signal& operator=(const child_signal&) = delete;
  ~child_signal();

  /// Readable when a child has ended since lower().
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// To be called before looking for ended children.
  void lower() noexcept;

 private:
  sigset_t previous_;
  unique_fd fd_;
};

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_CHILD_SIGNAL_HPP
