#include "posix/descriptors.hpp"

#include "posix/check.hpp"
#include "posix/file.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tandem::posix {
namespace {

/// Closes descriptors first..last. Returns false if the kernel has no close_range (before 5.9, or forbidden).
bool close_range(unsigned first, unsigned last) {
  return first > last || ::syscall(SYS_close_range, first, last, 0) == 0;
}

unique_fd open_null(int flags) {
  return unique_fd(
      checked(retry_on_eintr([&] { return ::open("/dev/null", flags | O_CLOEXEC); }), "opening /dev/null"));
}

}  // namespace

void close_range_from(int first, std::span<const int> except) {
  std::vector<int> kept(except.begin(), except.end());
  std::sort(kept.begin(), kept.end());
  auto from = static_cast<unsigned>(std::max(first, 0));
  bool closed = true;
  for (const int fd : kept) {
    if (fd < 0 || static_cast<unsigned>(fd) < from) continue;
    if (static_cast<unsigned>(fd) > from) closed = closed && close_range(from, static_cast<unsigned>(fd) - 1);
    from = static_cast<unsigned>(fd) + 1;
  }
  closed = closed && close_range(from, ~0U);
  if (closed) return;

  for (const int fd : open_descriptors()) {
    if (fd >= first && !std::binary_search(kept.begin(), kept.end(), fd)) ::close(fd);
  }
}

std::vector<int> open_descriptors() {
  std::vector<int> result = numbers_in("/proc/self/fd");
  // Not the one that the listing itself had open.
  result.erase(
      std::remove_if(result.begin(), result.end(), [](int fd) { return ::fcntl(fd, F_GETFD) == -1; }),
      result.end());
  return result;
}

void redirect_stdin_to_null() {
  unique_fd null = open_null(O_RDONLY);
  if (null.get() == 0) {  // It was closed, and the lowest free number is what open gives.
    set_close_on_exec(0, false);
    (void)null.release();
    return;
  }
  checked(retry_on_eintr([&] { return ::dup2(null.get(), 0); }), "redirecting standard input");
}

unique_fd above_stdio(unique_fd fd) {
  if (!fd || fd.get() > 2) return fd;
  return fd.duplicate();
}

void set_close_on_exec(int fd, bool on) {
  checked(::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0), "changing close-on-exec of a descriptor");
}

}  // namespace tandem::posix
