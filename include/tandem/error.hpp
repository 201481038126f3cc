// Every error that tandem itself throws or stores in a future. Wrong arguments are std::invalid_argument.
// Owns the types only; the messages are written where the error is found, and say what happened, the
// likely cause and what to do.
#ifndef TANDEM_ERROR_HPP
#define TANDEM_ERROR_HPP

#include <tandem/config.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace tandem {

/// Base of all errors of this library: `catch (const tandem::error&)` gets every one.
class TANDEM_API error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  error(const error&) = default;
  error& operator=(const error&) = default;
  ~error() override;  // out of line: one type_info for all shared libraries
};

/// The task was cancelled before it gave a result.
class TANDEM_API cancelled_error : public error {
 public:
  using error::error;
  /// With a message that says just that.
  cancelled_error();
  cancelled_error(const cancelled_error&) = default;
  cancelled_error& operator=(const cancelled_error&) = default;
  ~cancelled_error() override;
};

/// A deadline passed: of a wait, of a map, or of the task itself.
class TANDEM_API timeout_error : public error {
 public:
  using error::error;
  timeout_error(const timeout_error&) = default;
  timeout_error& operator=(const timeout_error&) = default;
  ~timeout_error() override;
};

/// A submit after shutdown() has begun.
class TANDEM_API shutdown_error : public error {
 public:
  using error::error;
  shutdown_error(const shutdown_error&) = default;
  shutdown_error& operator=(const shutdown_error&) = default;
  ~shutdown_error() override;
};

/// The pool can run nothing any more: an initializer threw, or no worker can be started.
class TANDEM_API broken_pool_error : public error {
 public:
  using error::error;
  broken_pool_error(const broken_pool_error&) = default;
  broken_pool_error& operator=(const broken_pool_error&) = default;
  ~broken_pool_error() override;
};

/// What a worker process was doing when it died.
enum class worker_phase : std::uint8_t {
  starting,            ///< It was being started, or ran the initializer.
  idle,                ///< It waited for a task, or was between two.
  decoding_arguments,  ///< It read a task's callable and arguments.
  running,             ///< It ran a task's function.
  encoding_result,     ///< It wrote a task's result.
  leaving              ///< It ran the finalizer, or what the program does at its exit.
};

/// How, and over what, a worker process died.
struct worker_death {
  /// Process id that the worker had; it may be in use again. 0: it died before anybody was told.
  int pid = 0;
  /// Number of the signal that ended it; 0 if none did.
  int signal = 0;
  /// Its exit code; -1 if a signal ended it.
  int exit_code = -1;
  /// What it was doing.
  worker_phase phase = worker_phase::idle;
  /// task_options::name of the task that it had begun; empty also if it had begun none.
  std::string task{};
  /// Which attempt at that task this was, from 1 on; 0 if it had begun none, or one that nobody waits for any more.
  int attempt = 0;
  /// The pool itself killed it: for a task's timeout, a cancel under kill_on_cancel, start_timeout, at terminate() or kill(), or
  /// because a task had overwritten what it shares with the pool.
  bool killed_by_pool = false;
  /// The most memory that it had resident at a time, in bytes; 0 if nobody could tell.
  std::size_t peak_memory = 0;
  /// The calls that led to a SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT, the innermost first: a line each, with the function
  /// as far as the symbol tables tell, the module and the offset in it ("parse(char const*) (reader+0x1f2c)", for
  /// addr2line). Empty for other deaths, and where the program or a sanitizer handles the signal itself.
  std::vector<std::string> stack{};
};

/// The worker process that ran the task died before it gave a result.
class TANDEM_API worker_died_error : public error {
 public:
  /// `signal` is 0 when the worker exited, `exit_code` is -1 when a signal ended it; `what` tells all of it.
  worker_died_error(const std::string& what, int pid, int signal, int exit_code);
  /// `what` tells all that `death` does.
  worker_died_error(const std::string& what, worker_death death);
  worker_died_error(const worker_died_error&) = default;
  worker_died_error& operator=(const worker_died_error&) = default;
  ~worker_died_error() override;

  /// All that is known of it. Lives as long as any copy of this error.
  [[nodiscard]] const worker_death& death() const noexcept { return *death_; }
  /// Process id that the worker had; it may be in use again.
  [[nodiscard]] int pid() const noexcept { return death_->pid; }
  /// Number of the signal that ended the worker, 0 if none did.
  [[nodiscard]] int signal() const noexcept { return death_->signal; }
  /// Exit code of the worker, -1 if a signal ended it.
  [[nodiscard]] int exit_code() const noexcept { return death_->exit_code; }

 private:
  std::shared_ptr<const worker_death> death_;  // shared: copying an exception must not throw
};

/// An exception in a worker process whose type cannot cross the process boundary.
class TANDEM_API remote_error : public error {
 public:
  /// `type_name` is demangled; `trace` tells the worker, the task and the phase.
  remote_error(const std::string& what, std::string type_name, std::string trace);
  remote_error(const remote_error&) = default;
  remote_error& operator=(const remote_error&) = default;
  ~remote_error() override;

  /// Name of the exception's type in the worker, demangled ("int" for `throw 42`).
  [[nodiscard]] const std::string& type_name() const noexcept { return type_name_; }
  /// Where it was thrown: worker, task, phase.
  [[nodiscard]] const std::string& trace() const noexcept { return trace_; }

 private:
  std::string type_name_;
  std::string trace_;
};

/// A callable, argument or result cannot be sent to another process.
class TANDEM_API not_portable_error : public error {
 public:
  using error::error;
  not_portable_error(const not_portable_error&) = default;
  not_portable_error& operator=(const not_portable_error&) = default;
  ~not_portable_error() override;
};

/// Bytes from another process do not decode: cut short, out of range, or from a different build.
class TANDEM_API decode_error : public error {
 public:
  using error::error;
  decode_error(const decode_error&) = default;
  decode_error& operator=(const decode_error&) = default;
  ~decode_error() override;
};

/// A bounded queue is full and the pool was told to reject.
class TANDEM_API queue_full_error : public error {
 public:
  using error::error;
  queue_full_error(const queue_full_error&) = default;
  queue_full_error& operator=(const queue_full_error&) = default;
  ~queue_full_error() override;
};

/// A future or promise was used in a state that does not allow it: get() twice, a value set twice, no state.
class TANDEM_API invalid_state_error : public error {
 public:
  using error::error;
  invalid_state_error(const invalid_state_error&) = default;
  invalid_state_error& operator=(const invalid_state_error&) = default;
  ~invalid_state_error() override;
};

/// A pool cannot be started: no init() in main, no fork server, no memory object.
class TANDEM_API start_error : public error {
 public:
  using error::error;
  start_error(const start_error&) = default;
  start_error& operator=(const start_error&) = default;
  ~start_error() override;
};

}  // namespace tandem

#endif
