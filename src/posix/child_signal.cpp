#include "posix/child_signal.hpp"

#include "posix/check.hpp"
#include "posix/descriptors.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace tandem::posix {

child_signal::child_signal() : previous_() {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGCHLD);
  // First what may fail: a signal that stayed blocked would be blocked in all workers.
  fd_ = above_stdio(unique_fd(checked(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd")));
  ::pthread_sigmask(SIG_BLOCK, &ends, &previous_);
}

child_signal::~child_signal() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

void child_signal::lower() noexcept {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {}
}

}  // namespace tandem::posix
