// The C library's functions that make system calls, as the library under test sees them: the linker gives it these in
// their place (--wrap). Each asks the plan whether it shall fail, and is the real one otherwise. Owns nothing.
#include "faults/syscalls/fault_plan.hpp"

#include <cerrno>
#include <csignal>
#include <cstdarg>

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

using tandem::test::call;
using tandem::test::shall_fail;

// Some are called between vfork and exec, where AddressSanitizer must not mark the stack.
#define UNMARKED __attribute__((no_sanitize("address", "thread", "undefined")))

// A function with a fixed list of arguments.
#define INTERPOSE(result, name, which, failed, parameters, arguments)  \
  extern "C" result __real_##name parameters;                          \
  extern "C" UNMARKED result __wrap_##name parameters {                \
    return shall_fail(call::which) ? failed : __real_##name arguments; \
  }

INTERPOSE(int, memfd_create, memfd_create, -1, (const char* name, unsigned flags), (name, flags))
INTERPOSE(int, ftruncate, ftruncate, -1, (int fd, off_t size), (fd, size))
INTERPOSE(int, fstat, fstat, -1, (int fd, struct stat* info), (fd, info))
INTERPOSE(void*, mmap, mmap, reinterpret_cast<void*>(-1),
          (void* address, size_t size, int protection, int flags, int fd, off_t offset),
          (address, size, protection, flags, fd, offset))
INTERPOSE(int, mprotect, mprotect, -1, (void* address, size_t size, int protection),
          (address, size, protection))
INTERPOSE(int, socketpair, socketpair, -1, (int domain, int type, int protocol, int* ends),
          (domain, type, protocol, ends))
INTERPOSE(ssize_t, sendmsg, sendmsg, -1, (int fd, const msghdr* message, int flags), (fd, message, flags))
INTERPOSE(ssize_t, recvmsg, recvmsg, -1, (int fd, msghdr* message, int flags), (fd, message, flags))
INTERPOSE(int, eventfd, eventfd, -1, (unsigned value, int flags), (value, flags))
INTERPOSE(ssize_t, read, read, -1, (int fd, void* data, size_t size), (fd, data, size))
INTERPOSE(ssize_t, write, write, -1, (int fd, const void* data, size_t size), (fd, data, size))
INTERPOSE(int, ppoll, ppoll, -1, (pollfd * entries, nfds_t count, const timespec* left, const sigset_t* mask),
          (entries, count, left, mask))
INTERPOSE(DIR*, opendir, opendir, nullptr, (const char* path), (path))
INTERPOSE(ssize_t, readlink, readlink, -1, (const char* path, char* data, size_t size), (path, data, size))
INTERPOSE(pid_t, fork, fork, -1, (), ())
INTERPOSE(int, kill, kill, -1, (pid_t pid, int signal), (pid, signal))
INTERPOSE(int, setpgid, setpgid, -1, (pid_t pid, pid_t group), (pid, group))
INTERPOSE(pid_t, wait4, wait4, -1, (pid_t pid, int* status, int options, rusage* usage),
          (pid, status, options, usage))
INTERPOSE(int, waitid, waitid, -1, (idtype_t kind, id_t id, siginfo_t* info, int options),
          (kind, id, info, options))
INTERPOSE(pid_t, waitpid, waitpid, -1, (pid_t pid, int* status, int options), (pid, status, options))
INTERPOSE(int, dup2, dup2, -1, (int from, int to), (from, to))
INTERPOSE(ssize_t, pread, pread, -1, (int fd, void* data, size_t size, off_t offset),
          (fd, data, size, offset))
INTERPOSE(ssize_t, pwrite, pwrite, -1, (int fd, const void* data, size_t size, off_t offset),
          (fd, data, size, offset))
INTERPOSE(int, fallocate, fallocate, -1, (int fd, int mode, off_t offset, off_t size),
          (fd, mode, offset, size))
INTERPOSE(int, fstatfs, fstatfs, -1, (int fd, struct statfs* info), (fd, info))
INTERPOSE(int, signalfd, signalfd, -1, (int fd, const sigset_t* which, int flags), (fd, which, flags))
INTERPOSE(int, sigaltstack, sigaltstack, -1, (const stack_t* now, stack_t* before), (now, before))
INTERPOSE(int, execve, exec, -1, (const char* path, char* const* arguments, char* const* environment),
          (path, arguments, environment))
INTERPOSE(int, getrlimit, getrlimit, -1, (int what, rlimit* limit), (what, limit))
INTERPOSE(int, setrlimit, setrlimit, -1, (int what, const rlimit* limit), (what, limit))
INTERPOSE(int, sched_getaffinity, affinity, -1, (pid_t pid, size_t size, cpu_set_t* mask), (pid, size, mask))

// With a list that varies: as many arguments as the kernel takes are handed on.
#define TAKE_REST(last)                                \
  va_list list;                                        \
  va_start(list, last);                                \
  long rest[5];                                        \
  for (long& value : rest) value = va_arg(list, long); \
  va_end(list)

extern "C" int __real_open(const char* path, int flags, ...);
extern "C" UNMARKED int __wrap_open(const char* path, int flags, ...) {
  TAKE_REST(flags);
  return shall_fail(call::open) ? -1 : __real_open(path, flags, static_cast<mode_t>(rest[0]));
}

extern "C" int __real_fcntl(int fd, int command, ...);
extern "C" UNMARKED int __wrap_fcntl(int fd, int command, ...) {
  TAKE_REST(command);
  if (command == F_DUPFD_CLOEXEC && shall_fail(call::duplicate)) return -1;
  if (command == F_ADD_SEALS && shall_fail(call::seal)) return -1;
  if (command == F_SETFD && shall_fail(call::set_flags)) return -1;
  return __real_fcntl(fd, command, rest[0]);
}

extern "C" int __real_prctl(int what, ...);
extern "C" UNMARKED int __wrap_prctl(int what, ...) {
  TAKE_REST(what);
  return shall_fail(call::prctl) ? -1 : __real_prctl(what, rest[0], rest[1], rest[2], rest[3]);
}

extern "C" int __real_clone(int (*function)(void*), void* stack, int flags, void* argument, ...);
extern "C" UNMARKED int __wrap_clone(int (*function)(void*), void* stack, int flags, void* argument, ...) {
  TAKE_REST(argument);
  return shall_fail(call::clone) ? -1
                                 : __real_clone(function, stack, flags, argument, rest[0], rest[1], rest[2]);
}

extern "C" long __real_syscall(long number, ...);
extern "C" UNMARKED long __wrap_syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long all[6];
  for (long& value : all) value = va_arg(list, long);
  va_end(list);
  const auto which = [number, &all] {
    switch (number) {
      case SYS_futex:
        // To wake fails for nothing but a wrong address.
        return (all[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET ? call::futex_wait : call::count;
      case SYS_pidfd_open:
        return call::pidfd_open;
      case SYS_pidfd_send_signal:
        return call::pidfd_send_signal;
      case SYS_close_range:
        return call::close_range;
      case SYS_clone:
        return call::clone;
      case SYS_execve:
      case SYS_execveat:
        return call::exec;
      case SYS_fcntl:
        return call::set_flags;
      default:
        return call::count;
    }
  }();
  if (which != call::count && shall_fail(which)) return -1;
  return __real_syscall(number, all[0], all[1], all[2], all[3], all[4], all[5]);
}
