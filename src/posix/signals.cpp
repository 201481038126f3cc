#include "posix/signals.hpp"

#include "posix/check.hpp"

#include <algorithm>
#include <cstring>

#include <pthread.h>

namespace tandem::posix {

block_signals_from_outside::block_signals_from_outside() noexcept : previous_() {
  sigset_t blocked;
  ::sigfillset(&blocked);
  for (const int own : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP})
    ::sigdelset(&blocked, own);
  ::pthread_sigmask(SIG_SETMASK, &blocked, &previous_);
}

block_signals_from_outside::~block_signals_from_outside() {
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void reset_signals_to_default(std::span<const int> ignored) noexcept {
  struct sigaction action {};
  ::sigemptyset(&action.sa_mask);
  for (int number = 1; number < NSIG; ++number) {
    const bool ignore = std::find(ignored.begin(), ignored.end(), number) != ignored.end();
    action.sa_handler = ignore ? SIG_IGN : SIG_DFL;
    // Fails for SIGKILL, SIGSTOP and the two that glibc keeps for itself; those are as they should be.
    (void)::sigaction(number, &action, nullptr);
  }
  // Last: what was pending must meet the new dispositions.
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void reset_signal_to_default(int signal) noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  static_cast<void>(::sigaction(signal, &action, nullptr));
}

std::string signal_name(int signal) {
  if (signal == SIGRTMIN) return "SIGRTMIN";
  if (signal > SIGRTMIN && signal <= SIGRTMAX) return "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  const char* const name = signal > 0 ? ::sigabbrev_np(signal) : nullptr;
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

}  // namespace tandem::posix
