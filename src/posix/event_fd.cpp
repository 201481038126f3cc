#include "posix/event_fd.hpp"

#include "posix/check.hpp"
#include "posix/descriptors.hpp"

#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace tandem::posix {

event_fd::event_fd()
    : fd_(above_stdio(unique_fd(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")))) {}

bool event_fd::raise() const noexcept {
  const int error = errno;
  const std::uint64_t one = 1;
  const ssize_t size = retry_on_eintr([&] { return ::write(fd_.get(), &one, sizeof one); });
  // EAGAIN: the counter is full, so the flag is up. Nothing else can go wrong with an eventfd that is open.
  const bool up = size >= 0 || errno == EAGAIN;
  errno = error;
  return up;
}

bool event_fd::lower() const noexcept {
  const int error = errno;
  std::uint64_t count = 0;
  const ssize_t size = retry_on_eintr([&] { return ::read(fd_.get(), &count, sizeof count); });
  errno = error;
  return size == static_cast<ssize_t>(sizeof count);
}

}  // namespace tandem::posix
