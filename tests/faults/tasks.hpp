// What the fault tests let workers do: die in every way, wait for a file, tell who they are.
#ifndef TANDEM_TESTS_FAULTS_TASKS_HPP
#define TANDEM_TESTS_FAULTS_TASKS_HPP

#include <csignal>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tandem::test {

inline int add_one(int x) { return x + 1; }
inline int worker_pid() { return static_cast<int>(getpid()); }
inline std::string echo(std::string text) { return text; }

enum class death { sigkill, sigsegv, abort_, exit_0, exit_7, quick_exit_9, stack_overflow };

[[gnu::noinline]] inline int overflow_stack(volatile char* from) {
  volatile char frame[4096];
  frame[0] = *from;
  return *from == 1 ? 0 : overflow_stack(frame) + frame[0];  // it never is 1
}

inline int die(death how) {
  switch (how) {
    case death::sigkill:
      kill(getpid(), SIGKILL);
      break;
    case death::sigsegv:
      raise(SIGSEGV);
      break;
    case death::abort_:
      std::abort();
    case death::exit_0:
      std::exit(0);
    case death::exit_7:
      std::exit(7);
    case death::quick_exit_9:
      _exit(9);
    case death::stack_overflow: {
      volatile char first = 0;
      return overflow_stack(&first);
    }
  }
  return 0;
}

/// A FIFO: `pass()` in a worker blocks until the test opens the other end. The kernel does the waiting.
class fifo {
 public:
  fifo() {
    char directory[] = "/tmp/tandem-test-XXXXXX";
    directory_ = mkdtemp(directory);
    path_ = directory_ + "/fifo";
    if (mkfifo(path_.c_str(), 0600) != 0) std::abort();
  }
  fifo(const fifo&) = delete;
  fifo& operator=(const fifo&) = delete;
  ~fifo() {
    if (held_open_ >= 0) close(held_open_);
    unlink(path_.c_str());
    rmdir(directory_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Returns when a worker is at the other end, and lets it go.
  void release() const { close(open(path_.c_str(), O_WRONLY | O_CLOEXEC)); }
  /// Lets everybody go, those who come later too.
  void release_all() { held_open_ = open(path_.c_str(), O_RDWR | O_CLOEXEC); }

 private:
  int held_open_ = -1;
  std::string directory_;
  std::string path_;
};

/// Blocks in a worker until fifo::release().
inline int pass(std::string path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  close(fd);
  return static_cast<int>(getpid());
}

}  // namespace tandem::test

#endif
