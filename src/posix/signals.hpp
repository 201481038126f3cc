// Signal masks, dispositions and names.
//
// Owns no handler: the library installs none in the user's process.
#ifndef TANDEM_POSIX_SIGNALS_HPP
#define TANDEM_POSIX_SIGNALS_HPP

#include <csignal>
#include <span>
#include <string>

namespace tandem::posix {

/// Blocks signals in the calling thread for as long as it lives, all but those that say what the thread itself has done
/// (SIGSEGV, SIGABRT and their like): a program's crash handler is for every thread. A thread started meanwhile keeps them
/// blocked: so start helper threads, lest the user's handlers run on them.
class block_signals_from_outside {
 public:
  block_signals_from_outside() noexcept;
  block_signals_from_outside(const block_signals_from_outside&) = delete;
  block_signals_from_outside& operator=(const block_signals_from_outside&) = delete;
  ~block_signals_from_outside();

 private:
  sigset_t previous_;
};

/// Sets every signal's disposition to its default - `ignored` ones to "ignore" - and then empties the calling
/// thread's signal mask. For a fresh process that must not run handlers inherited from the user's program.
void reset_signals_to_default(std::span<const int> ignored = {}) noexcept;

/// Gives one signal its default effect. Never fails for a number that is a signal's.
void reset_signal_to_default(int signal) noexcept;

/// Returns "SIGSEGV" for 11, "SIGRTMIN+3", or "signal 99" for a number that has no name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_SIGNALS_HPP
