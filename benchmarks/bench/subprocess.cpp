#include "bench/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

extern char** environ;

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

// A pipe from the child's standard output or standard error; what came out of it.
class stream {
 public:
  stream() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno, "pipe");
    reader_ = ends[0];
    writer_ = ends[1];
  }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  ~stream() {
    close_writer();
    close_reader();
  }

  [[nodiscard]] int reader() const { return reader_; }
  [[nodiscard]] int writer() const { return writer_; }
  [[nodiscard]] bool has_ended() const { return reader_ < 0; }
  [[nodiscard]] const std::string& text() const { return text_; }

  void close_writer() {
    if (writer_ >= 0) close(std::exchange(writer_, -1));
  }
  void read_some() {
    std::array<char, 4096> part{};
    const ssize_t got = read(reader_, part.data(), part.size());
    if (got > 0) text_.append(part.data(), static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) close_reader();
  }

 private:
  void close_reader() {
    if (reader_ >= 0) close(std::exchange(reader_, -1));
  }

  int reader_ = -1;
  int writer_ = -1;
  std::string text_;
};

pid_t start(std::vector<std::string>& command, const stream& output, const stream& errors) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.writer(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.writer(), STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(error, command[0]);
  return child;
}

// Until both have ended, which they do with the child; false if that takes too long.
bool read_all(stream& output, stream& errors, clock::time_point end) {
  while (!output.has_ended() || !errors.has_ended()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock::now()).count();
    if (left <= 0) return false;
    // poll() passes over those whose descriptor is negative.
    std::array<pollfd, 2> both{pollfd{output.reader(), POLLIN, 0}, pollfd{errors.reader(), POLLIN, 0}};
    if (poll(both.data(), both.size(), static_cast<int>(left)) < 0 && errno != EINTR) fail(errno, "poll");
    if (both[0].revents != 0) output.read_some();
    if (both[1].revents != 0) errors.read_some();
  }
  return true;
}

// The end of it, in which the error is.
std::string said(const stream& errors) {
  constexpr std::size_t most = 2000;
  std::string text = errors.text().substr(errors.text().size() - std::min(most, errors.text().size()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "" : ": " + text;
}

}  // namespace

std::string output_of(std::vector<std::string> command, std::chrono::seconds limit) {
  stream output;
  stream errors;
  const pid_t child = start(command, output, errors);
  output.close_writer();
  errors.close_writer();
  const bool in_time = read_all(output, errors, clock::now() + limit);
  if (!in_time) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (!in_time)
    throw std::runtime_error("had not ended after " + std::to_string(limit.count()) + " s" + said(errors));
  if (WIFSIGNALED(status))
    throw std::runtime_error("was ended by signal " + std::to_string(WTERMSIG(status)) + said(errors));
  if (WEXITSTATUS(status) != 0)
    throw std::runtime_error("failed with status " + std::to_string(WEXITSTATUS(status)) + said(errors));
  return output.text();
}

bool is_installed(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace bench
