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

namespace {
bool wait_for(int fd, short events, steady_time deadline) {
  if (fd < 0) throw_system_error(EBADF, "poll");  // ppoll would wait for ever.
  pollfd entry{fd, events, 0};
  if (poll_until({&entry, 1}, deadline) == 0) return false;
  if ((entry.revents & POLLNVAL) != 0) throw_system_error(EBADF, "poll");
  return true;
}
}  // namespace

bool wait_readable(int fd, steady_time deadline) { return wait_for(fd, POLLIN, deadline); }

bool wait_hung_up(int fd, steady_time deadline) {
  return wait_for(fd, 0, deadline);
}  // POLLHUP is always told

}  // namespace tandem::posix
