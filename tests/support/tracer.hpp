// Another process, stopped between two of its instructions: ptrace(2). For the thread that has made it only.
#ifndef TANDEM_TESTS_SUPPORT_TRACER_HPP
#define TANDEM_TESTS_SUPPORT_TRACER_HPP

#include <sys/types.h>

namespace tandem::test {

/// Whether this machine and this architecture have single steps for us; if not, says why on stderr.
[[nodiscard]] bool can_trace();

/// Attached to a process from the constructor on, and stopped. The destructor lets it go if it still lives.
class tracer {
 public:
  /// Throws std::system_error if the process is gone or may not be traced.
  explicit tracer(pid_t pid);
  tracer(const tracer&) = delete;
  tracer& operator=(const tracer&) = delete;
  ~tracer();

  /// Lets it execute one instruction; false if it would now sleep on a futex, or is gone.
  [[nodiscard]] bool step();

  /// Kills it where it is, and waits until that has happened.
  void kill();

 private:
  [[nodiscard]] bool is_about_to_sleep() const;

  pid_t pid_;
  bool attached_ = false;
};

}  // namespace tandem::test

#endif
