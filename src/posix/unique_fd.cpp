#include "posix/unique_fd.hpp"

#include "posix/check.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace tandem::posix {

void unique_fd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old < 0 || old == fd) return;
  const int error = errno;
  // Never repeated on EINTR: the number is free already and may be another thread's by now.
  ::close(old);
  errno = error;
}

unique_fd unique_fd::duplicate() const {
  return unique_fd(checked(::fcntl(fd_, F_DUPFD_CLOEXEC, 3), "duplicating a file descriptor"));
}

}  // namespace tandem::posix
