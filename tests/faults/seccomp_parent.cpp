// A program to which the kernel refuses a system call, as a container's seccomp profile or an old kernel does:
// `seccomp_parent CALL ERRNO` uses a pool then. It prints "works", or what the constructor says, and exits with 3.
#include <tandem/init.hpp>
#include <tandem/process_pool.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace {

/// From now on `number` fails with `error`, here and in all that is started from here. Only where the filter is in
/// force, on this architecture.
void deny(long number, int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<__u32>(number), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<__u32>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    std::perror("no seccomp filter here");
    std::exit(4);
  }
}

long number_of(const std::string& name) {
  const struct {
    const char* name;
    long number;
  } calls[] = {{"pidfd_open", SYS_pidfd_open},
               {"pidfd_send_signal", SYS_pidfd_send_signal},
               {"memfd_create", SYS_memfd_create},
               {"close_range", SYS_close_range},
               {"eventfd2", SYS_eventfd2},
               {"clone3", SYS_clone3},
               {"socketpair", SYS_socketpair},
               {"sched_getaffinity", SYS_sched_getaffinity},
               {"mincore", SYS_mincore},
               {"fallocate", SYS_fallocate},
               {"signalfd4", SYS_signalfd4},
               {"setrlimit", SYS_prlimit64},
               {"none", -1}};
  for (const auto& call : calls) {
    if (name == call.name) return call.number;
  }
  std::fprintf(stderr, "seccomp_parent: no call %s\n", name.c_str());
  std::exit(2);
}

int add_one(int x) { return x + 1; }
std::string echo(std::string text) { return text; }
int leave() { std::_Exit(9); }
int wait_for_ever() {
  for (;;) pause();
}

/// Small and large tasks, a worker that dies, one that is killed: true if all is as it should be.
bool use_a_pool() {
  tandem::process_pool pool({.max_workers = 2});
  bool right = pool.submit(add_one, 1).get() == 2;
  const std::string text(1'000'000, 'x');
  right = pool.submit(echo, text).get() == text && right;
  try {
    pool.submit(leave).get();
    right = false;
  } catch (const tandem::worker_died_error&) {}
  try {
    pool.submit({.timeout = std::chrono::milliseconds(20)}, wait_for_ever).get();
    right = false;
  } catch (const tandem::timeout_error&) {}
  return pool.submit(add_one, 2).get() == 3 && right;
}

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  if (argc != 3) return 2;
  deny(number_of(argv[1]), std::atoi(argv[2]));
  try {
    std::puts(use_a_pool() ? "works" : "wrong");
  } catch (const tandem::start_error& error) {
    std::puts(error.what());
    return 3;
  }
  return 0;
}
