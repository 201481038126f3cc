#include "posix/poll.hpp"

#include "posix/check.hpp"

namespace tandem::posix {

int poll_until(std::span<pollfd> entries, steady_time deadline) {
  for (;;) {
    const timespec left = time_left(deadline);
    const int ready =
        ::ppoll(entries.data(), entries.size(), deadline == no_deadline ? nullptr : &left, nullptr);
    if (ready >= 0) return ready;
    if (errno != EINTR) throw_errno("poll");
  }
}

bool wait_readable(int fd, steady_time deadline) {
  if (fd < 0) throw_system_error(EBADF, "poll");  // ppoll would wait for ever.
  pollfd entry = readable(fd);
  if (poll_until({&entry, 1}, deadline) == 0) return false;
  if ((entry.revents & POLLNVAL) != 0) throw_system_error(EBADF, "poll");
  return true;
}

}  // namespace tandem::posix
