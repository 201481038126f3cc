#include "posix/crash.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

namespace tandem::posix {

#if __GLIBC_PREREQ(2, 35)

namespace {

crash_record* record = nullptr;
pid_t owner = 0;                       // forked children have a record too, but it is not theirs
std::atomic<pid_t> crashed_thread{0};  // the first of this process that crashes

// Room for the kernel's frame (AMX: 11 KiB) and the unwinder's.
alignas(64) std::byte alternate_stack[std::size_t{64} * 1024];

std::uint32_t index_of(const link_map& loaded) noexcept {
  const std::uint32_t count = record->module_count;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (std::strncmp(record->modules[i].path, loaded.l_name, sizeof(record->modules[i].path) - 1) == 0)
      return i;
  }
  if (count == crash_record::most_modules) return crash_record::no_module;
  char* const path = record->modules[count].path;
  std::strncpy(path, loaded.l_name, sizeof(record->modules[count].path) - 1);
  record->module_count = count + 1;
  return count;
}

// Counted one by one: if the stack is broken and the next step crashes, what is there stays.
void note(std::uintptr_t address) noexcept {
  if (record->frame_count == crash_record::most_frames) return;
  crash_record::frame& f = record->frames[record->frame_count];
  f.offset = address;
  f.module = crash_record::no_module;
  dl_find_object found{};
  // Documented as safe in a signal handler.
  if (::_dl_find_object(reinterpret_cast<void*>(address), &found) ==
      0) {  // NOLINT(performance-no-int-to-ptr)
    f.module = index_of(*found.dlfo_link_map);
    if (f.module != crash_record::no_module) f.offset = address - found.dlfo_link_map->l_addr;
  }
  record->frame_count = record->frame_count + 1;
}

// Of the handler and the kernel's trampoline. A broken stack may go round in circles.
constexpr int most_own_frames = 64;

struct walk {
  std::uintptr_t from;  // what was interrupted: before it come our own frames
  int own_frames = 0;
  bool begun = false;
};

_Unwind_Reason_Code visit(_Unwind_Context* context, void* argument) noexcept {
  walk& w = *static_cast<walk*>(argument);
  int is_exact = 0;
  const std::uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
  if (!w.begun) {
    w.begun = address == w.from;
    return ++w.own_frames < most_own_frames ? _URC_NO_REASON : _URC_END_OF_STACK;
  }
  if (address == 0) return _URC_END_OF_STACK;
  note(is_exact != 0 ? address : address - 1);  // a return address may already be another line's
  return record->frame_count < crash_record::most_frames ? _URC_NO_REASON : _URC_END_OF_STACK;
}

struct place {
  std::uintptr_t instruction = 0;
  std::uintptr_t caller = 0;  // if a jump has gone wrong, and nothing else is known
};

place interrupted(const void* context) noexcept {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  const auto instruction = static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
  dl_find_object found{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  if (::_dl_find_object(reinterpret_cast<void*>(instruction), &found) == 0) return {instruction, 0};
  // A call to nowhere has left its return address on top of the stack.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return {instruction, *reinterpret_cast<const std::uintptr_t*>(machine.gregs[REG_RSP])};
#elif defined(__aarch64__)
  return {machine.pc, machine.regs[30]};
#else
  static_cast<void>(machine);
  return {};
#endif
}

void write_record(int signal, const void* context) noexcept {
  record->signal = static_cast<std::uint32_t>(signal);
  const place at = interrupted(context);
  note(at.instruction);
  walk w{at.instruction};
  _Unwind_Backtrace(visit, &w);
  if (record->frame_count == 1 && at.caller != 0) note(at.caller - 1);
}

void send_to_this_thread(int signal) noexcept { ::syscall(SYS_tgkill, ::getpid(), ::gettid(), signal); }

void on_crash(int signal, siginfo_t* info, void* context) noexcept {
  const int saved = errno;
  bool sent = info->si_code <= 0;  // by raise(), kill() or abort(); otherwise the instruction fails once more
  if (::getpid() == owner) {
    pid_t first = 0;
    if (crashed_thread.compare_exchange_strong(first, ::gettid())) {
      write_record(signal, context);
    } else if (first != ::gettid()) {
      for (;;) ::pause();  // that one ends the process
    } else {               // we have crashed in here: the first signal is the one that counts
      signal = static_cast<int>(record->signal);
      sent = true;
      sigset_t unblocked;
      ::sigemptyset(&unblocked);
      ::sigaddset(&unblocked, signal);
      ::sigprocmask(SIG_UNBLOCK, &unblocked, nullptr);
    }
  }
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  // Blocked until we return, so that a core file shows where it happened.
  if (sent) send_to_this_thread(signal);
  errno = saved;
}

_Unwind_Reason_Code stop_at_once(_Unwind_Context*, void*) noexcept { return _URC_END_OF_STACK; }

}  // namespace

void record_crashes_in(crash_record& to) noexcept {
  record = &to;
  owner = ::getpid();
  stack_t stack{};
  if (::sigaltstack(nullptr, &stack) == 0 && (stack.ss_flags & SS_DISABLE) != 0) {
    stack = {};
    stack.ss_sp = alternate_stack;
    stack.ss_size = sizeof alternate_stack;
    ::sigaltstack(&stack, nullptr);
  }
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action = {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigaction(signal, &action, nullptr);
  }
  // What is bound, loaded or initialized at its first call must not be so in the handler.
  _Unwind_Backtrace(stop_at_once, nullptr);
}

#else

void record_crashes_in(crash_record&) noexcept {}

#endif

}  // namespace tandem::posix
