// Starting processes.
//
// Owns clone, fork and exec. What the started process then does - signals, descriptors, parent death - it
// does itself with process.hpp, except for what must happen before exec. README.md draws the steps.
#ifndef TANDEM_POSIX_SPAWN_HPP
#define TANDEM_POSIX_SPAWN_HPP

#include "posix/unique_fd.hpp"

#include <functional>
#include <span>
#include <string>

#include <sys/types.h>

namespace tandem::posix {

/// A started process that is not a child of this one.
struct detached_process {
  pid_t pid = -1;
  unique_fd pidfd;  ///< Opened before anybody could have reaped the process, so it is surely that one.
};

/// What spawn_detached changes besides the defaults.
struct spawn_options {
  /// Signals that the program starts with ignored, from its very first instruction; all others at their
  /// default.
  std::span<const int> ignored_signals = {};
  /// Whether the program leads a process group of its own; then the terminal's Ctrl-C does not reach it.
  bool new_process_group = false;
};

/// Starts the program at `path` (no search in PATH) with `argv` (argv[0] included), and this process's
/// environment, working directory and descriptors 0 to 2. It also gets the descriptors `keep`, under the same
/// numbers; no others, on Linux 5.11 and later (before that: none that are close-on-exec).
///
/// The program is nobody's child here: it is handed to init, leaves no zombie, and neither a SIGCHLD handler
/// nor a waitpid(-1) of the user ever sees it or the helper process between. (Where this process is init
/// itself, see reap_if_adopted.) Its signal mask is empty, its signal dispositions are the default.
///
/// May be called in processes with many threads: memory is not copied, pthread_atfork handlers do not run,
/// and the `keep` descriptors stay close-on-exec in this process, so a fork in another thread cannot leak
/// them. Thread-safe. Blocks the calling thread until exec has succeeded or failed: typically below a
/// millisecond.
///
/// "/proc/self/exe" starts this process's own executable, also if its file has been replaced or deleted
/// meanwhile.
///
/// @throws std::system_error with the errno of what failed: of exec (ENOENT, EACCES, ENOEXEC, ...), of the
/// clones (EAGAIN, ENOMEM), of `keep` (EBADF). std::invalid_argument if `argv` is empty. Nothing is left
/// running then.
[[nodiscard]] detached_process spawn_detached(const std::string& path, std::span<const std::string> argv,
                                              std::span<const int> keep, const spawn_options& options = {});

/// The same for an executable that is open as `executable` (must be a binary, not a script, if it is
/// close-on-exec).
[[nodiscard]] detached_process spawn_detached(int executable, std::span<const std::string> argv,
                                              std::span<const int> keep, const spawn_options& options = {});

/// Runs `body` in a copy of this process that is not its child; the copy then _exits with what `body` returns
/// (70 if it throws). Seen from outside as little as spawn_detached's. The copy has default signal
/// dispositions and an empty signal mask before `body` runs, and all descriptors of this process.
/// pthread_atfork handlers run, in the copy and its short-lived parent. Neither stdio buffers are flushed nor
/// destructors of static objects run at its end; text that is unflushed here exists in both.
///
/// The calling process must have a single thread: the caller has checked thread_count().
/// @throws std::system_error (EAGAIN, ENOMEM).
[[nodiscard]] detached_process fork_detached(const std::function<int()>& body);

/// Forks: returns the child's pid in the parent, 0 in the child. The child is an ordinary one, to be reaped.
/// @throws std::system_error (EAGAIN, ENOMEM), in the parent only.
[[nodiscard]] pid_t fork_child();

/// Replaces the program of this process by its own executable, started afresh with `argv` (argv[0] included). It keeps
/// the descriptors 0 to 2 and `keep`, under the same numbers, no others; its pid, parent, process group, parent death
/// signal, limits, environment, ignored and blocked signals. Returns only by throwing.
/// @throws std::system_error with the errno of what failed; std::invalid_argument if `argv` is empty. Then descriptors
/// above 2 may have become close-on-exec.
[[noreturn]] void exec_again(std::span<const std::string> argv, std::span<const int> keep);

/// Ends the process at once, without running atexit handlers or destructors or flushing stdio.
[[noreturn]] void exit_now(int code) noexcept;

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_SPAWN_HPP
