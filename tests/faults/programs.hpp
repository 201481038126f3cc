// The programs beside the fault tests: running one for its output, or one that is to be killed.
#ifndef TANDEM_TESTS_FAULTS_PROGRAMS_HPP
#define TANDEM_TESTS_FAULTS_PROGRAMS_HPP

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tandem::test {

/// Runs a helper program and gives what it prints.
inline std::string run(const std::string& command, int* status = nullptr) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  const int result = pclose(pipe);
  if (status != nullptr) *status = result;
  return text;
}

/// Waits up to ten seconds for the end of the process.
inline bool is_gone(int pidfd) {
  pollfd entry{pidfd, POLLIN, 0};
  return poll(&entry, 1, 10000) == 1;
}

/// A running pool_parent, and pidfds of the processes that it has named.
struct busy_parent {
  pid_t pid = -1;
  std::vector<int> named;

  /// Leads a process group, as a shell has it for what runs in the foreground.
  explicit busy_parent(const char* argument) {
    std::array<int, 2> out{};
    if (pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    pid = fork();
    if (pid == 0) {
      setpgid(0, 0);
      dup2(out[1], 1);
      dup2(out[1], 2);
      execl(TANDEM_POOL_PARENT, TANDEM_POOL_PARENT, argument, nullptr);
      _exit(127);
    }
    close(out[1]);
    FILE* lines = fdopen(out[0], "r");
    std::array<char, 256> line{};
    if (std::fgets(line.data(), line.size(), lines) == nullptr) line[0] = 0;
    output_ = lines;
    std::istringstream words(line.data());
    for (int id = 0; words >> id;) named.push_back(static_cast<int>(syscall(SYS_pidfd_open, id, 0)));
  }
  busy_parent(const busy_parent&) = delete;
  busy_parent& operator=(const busy_parent&) = delete;
  ~busy_parent() {
    for (const int fd : named) close(fd);
    std::fclose(output_);
  }
  /// What it and its workers have printed besides, when all have ended.
  [[nodiscard]] std::string rest_of_output() const {
    std::string text;
    for (int c = std::fgetc(output_); c != EOF; c = std::fgetc(output_)) text += static_cast<char>(c);
    return text;
  }
  void kill_it() const {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }

 private:
  FILE* output_ = nullptr;
};

}  // namespace tandem::test

#endif
