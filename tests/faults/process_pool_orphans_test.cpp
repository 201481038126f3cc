// A parent that is killed at a random moment leaves nothing: no process within a second, no name. As many moments as
// TANDEM_STRESS_ROUNDS says.
#include "support/processes.hpp"
#include "support/rounds.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

pid_t start_program(const char* argument) {
  const pid_t pid = fork();
  if (pid == 0) {
    execl(TANDEM_ORPHANS_PARENT, TANDEM_ORPHANS_PARENT, argument, nullptr);
    _exit(127);
  }
  return pid;
}

// Returns when the process has ended; false if it has not at the deadline.
bool has_ended(int pid, clock::time_point deadline) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true;
  pollfd entry{fd, POLLIN, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
  const bool ended = poll(&entry, 1, std::max(0, static_cast<int>(left.count()))) == 1;
  close(fd);
  return ended;
}

// Those of the killed program who are there at the deadline.
std::string left_at(clock::time_point deadline) {
  for (;;) {
    const auto all = tandem::test::family(static_cast<int>(getpid()));
    if (all.empty()) return "";
    std::string late;
    for (const auto& process : all) {
      if (process.state == 'Z') continue;
      if (!has_ended(process.pid, deadline))
        late += process.command + " (" + std::to_string(process.pid) + ") ";
    }
    if (!late.empty() || clock::now() > deadline) return late;
  }
}

void kill_at_random_moments(const char* argument, int rounds) {
  const tandem::test::seed_scope seed;
  auto random = tandem::test::seed_scope::generator();
  const std::chrono::microseconds latest(40'000 * tandem::test::slowness());
  std::chrono::microseconds longest{0};
  for (int i = 0; i < rounds; ++i) {
    const pid_t program = start_program(argument);
    // The moment is what is tested: nothing happens at a better one.
    const std::chrono::microseconds moment(random() % static_cast<unsigned>(latest.count()));
    usleep(static_cast<useconds_t>(moment.count()));
    kill(program, SIGKILL);
    const auto killed = clock::now();
    waitpid(program, nullptr, 0);
    const std::string left = left_at(killed + 1s * tandem::test::slowness());
    longest = std::max(longest, std::chrono::ceil<std::chrono::microseconds>(clock::now() - killed));
    ASSERT_EQ(left, "") << "killed after " << moment.count() << " us, round " << i;
    ASSERT_TRUE(tandem::test::shared_memory_names().empty());
  }
  std::fprintf(stderr, "%d moments, all gone within %lld us\n", rounds,
               static_cast<long long>(longest.count()));
}

TEST(Orphans, AreNeverLeftBehind) { kill_at_random_moments(nullptr, tandem::test::rounds(60)); }
TEST(Orphans, AreNeverLeftBehindWhenWorkersAreSpawned) {
  kill_at_random_moments("spawn", tandem::test::rounds(30));
}

}  // namespace
