#include "support/tracer.hpp"

#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace tandem::test {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// The next stop of the process; false if it has ended.
bool wait_for_stop(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, __WALL) != pid) return false;
  return WIFSTOPPED(status);
}

}  // namespace

bool can_trace() {
#if defined(__x86_64__)
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  const bool works = ptrace(PTRACE_SEIZE, child, nullptr, nullptr) == 0;
  const int error = errno;
  kill(child, SIGKILL);
  waitpid(child, nullptr, __WALL);
  if (!works) std::fprintf(stderr, "no ptrace on this machine: %s\n", std::strerror(error));
  return works;
#else
  std::fprintf(stderr, "single steps are written for x86-64 only\n");
  return false;
#endif
}

tracer::tracer(pid_t pid) : pid_(pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) fail("PTRACE_SEIZE");
  attached_ = true;
  if (ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) fail("PTRACE_INTERRUPT");
  if (!wait_for_stop(pid)) {
    attached_ = false;
    errno = ESRCH;
    fail("waiting for the traced process");
  }
}

tracer::~tracer() {
  if (attached_) ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
}

bool tracer::is_about_to_sleep() const {
#if defined(__x86_64__)
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, pid_, nullptr, &registers) != 0) fail("PTRACE_GETREGS");
  const auto operation = registers.rsi & FUTEX_CMD_MASK;
  const bool waits = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
  if (registers.rax != SYS_futex || !waits) return false;
  const long next = ptrace(PTRACE_PEEKTEXT, pid_, registers.rip, nullptr);
  constexpr long syscall_instruction = 0x050f;
  if ((next & 0xffff) != syscall_instruction) return false;
  // One that slept when it was stopped is to make the same call again; somebody may have woken it since.
  const long word = ptrace(PTRACE_PEEKDATA, pid_, registers.rdi, nullptr);
  return static_cast<std::uint32_t>(word) == static_cast<std::uint32_t>(registers.rdx);
#else
  return true;
#endif
}

bool tracer::step() {
  if (is_about_to_sleep()) return false;
  if (ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) != 0) fail("PTRACE_SINGLESTEP");
  if (wait_for_stop(pid_)) return true;
  attached_ = false;
  return false;
}

void tracer::kill() {
  ::kill(pid_, SIGKILL);
  while (attached_ && wait_for_stop(pid_)) {
    // Stops that came before its end.
  }
  attached_ = false;
}

}  // namespace tandem::test
