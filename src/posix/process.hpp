// This process: who it is, what it is called, whom it lives and dies with, what it uses.
//
// Owns the process-wide switches that are not signals (signals.hpp), descriptors (descriptors.hpp) or
// children (reap.hpp); includes those, so that a process's start-up code needs this header only.
#ifndef TANDEM_POSIX_PROCESS_HPP
#define TANDEM_POSIX_PROCESS_HPP

#include "posix/descriptors.hpp"
#include "posix/reap.hpp"
#include "posix/signals.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace tandem::posix {

[[nodiscard]] pid_t current_pid() noexcept;
[[nodiscard]] pid_t current_tid() noexcept;  ///< The kernel's id of the calling thread.

/// Returns how many threads this process has. A thread that was just joined may still be counted for some
/// microseconds, because the kernel lets join return before it has removed the thread.
/// @throws std::system_error if /proc is missing.
[[nodiscard]] int thread_count();

/// Asks for `signal` at the death of the parent, and checks that the parent is still `expected_parent`: false
/// if not, that is, if it died before the request and no signal will come. "Parent" means the *thread* that
/// forked this process: usable only where that thread lives as long as its process, as in the single-threaded
/// fork server.
/// @throws std::system_error (EINVAL).
[[nodiscard]] bool set_parent_death_signal(int signal, pid_t expected_parent);

/// Names the calling thread - for a process's first thread: the process - for ps, top and debuggers. Linux
/// keeps 15 bytes; a longer name is cut there, never inside of a UTF-8 character. Never fails.
void set_name(std::string_view name) noexcept;

/// Returns the calling thread's name. Empty if there is none.
[[nodiscard]] std::string current_name();

/// Returns "prefix-k" in at most 15 bytes: cuts the prefix, not the number, so that workers stay
/// distinguishable.
[[nodiscard]] std::string numbered_name(std::string_view prefix, int number);

/// Sends `signal` to process `pid`, which must be positive; false if there is none such. Prefer
/// pidfd_send_signal: a pid may have been reused, except that of an unreaped child.
/// @throws std::invalid_argument for pid <= 0 (kill(-1) would hit everything); std::system_error (EPERM,
/// EINVAL).
bool kill_process(pid_t pid, int signal);

/// Sends `signal` to all of process group `group`, which must be above 1; false if it is empty. @throws as
/// above.
bool kill_group(pid_t group, int signal);

/// Puts process `pid` (0: this one) into group `group` (0: one of its own). Returns false if that process is
/// gone or, being a child, has exec'ed already. @throws std::system_error (EPERM).
bool set_process_group(pid_t pid, pid_t group);

/// Returns the process group of `pid`; -1 if there is no such process.
[[nodiscard]] pid_t process_group(pid_t pid) noexcept;

/// Limits this process's private writable memory (RLIMIT_DATA: heap, stacks, anonymous mappings; not shared
/// memory) to `bytes`; beyond it allocation fails with bad_alloc. Cannot be raised again. @throws
/// std::system_error.
void limit_private_memory(std::size_t bytes);

/// As limit_private_memory(), to `bytes` more than this process has now: a copy of a large process starts with much.
void limit_further_memory(std::size_t bytes);

/// Lets this process use CPU time up to `total`, its own threads' from its beginning on, rounded up to seconds; then it gets
/// SIGXCPU, each second. Nothing: as much as it may at the most. @throws std::system_error.
void limit_cpu_time(std::optional<std::chrono::nanoseconds> total);

/// Returns the resident memory of this process that is no file's and not shared, in bytes; 0 if /proc does not tell.
[[nodiscard]] std::size_t private_resident_memory();

/// Adds to the nice value of this process, within -20 and 19. @throws std::system_error (EPERM).
void add_nice(int increment);

/// @throws std::system_error.
void change_directory(const std::string& path);

/// Sets an environment variable, or takes it away. Not thread-safe. @throws std::system_error (EINVAL: no name).
void set_environment(const std::string& name, const std::optional<std::string>& value);

/// Makes the kernel's out-of-memory killer prefer this process (positive, up to 1000) over others. Best
/// effort: returns whether it worked.
bool set_oom_score_adjustment(int adjustment) noexcept;

/// Returns the path of this process's executable; ends in " (deleted)" if the file is gone.
/// @throws std::system_error if /proc is missing.
[[nodiscard]] std::string executable_path();

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_PROCESS_HPP
