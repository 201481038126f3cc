// What a process pool must not leave behind or disturb: processes, descriptors, the user's signals and children.
#include "faults/programs.hpp"
#include "faults/start_scene.hpp"
#include "faults/tasks.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace {

using tandem::process_pool;
using tandem::test::busy_parent;
using tandem::test::is_gone;
using tandem::test::run;

std::string my_descriptors(int) {
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    all += entry.path().filename().string() + "=" +
           std::filesystem::read_symlink(entry.path(), ignored).string() + "\n";
  }
  return all;
}

TEST(Workers, HaveNoDescriptorOfTheParentButStdio) {
  const int mine = open("/etc/passwd", O_RDONLY);  // not even close-on-exec
  process_pool pool({.max_workers = 1});
  const std::string theirs = pool.submit(my_descriptors, 0).get();
  close(mine);
  EXPECT_EQ(theirs.find("passwd"), std::string::npos) << theirs;
  EXPECT_NE(theirs.find("0=/dev/null"), std::string::npos) << theirs;
  EXPECT_EQ(std::count(theirs.begin(), theirs.end(), '\n'), 3 + 3 + 1)
      << theirs;  // stdio; ours; the directory itself
}

std::string my_names(int) {
  std::ifstream comm("/proc/self/comm");
  std::string name;
  std::getline(comm, name);
  return name + " " + std::to_string(getpgrp() == getpid());
}

TEST(Workers, AreNamedAndLeadTheirOwnProcessGroup) {
  process_pool pool({.max_workers = 1, .name_prefix = "crunch"});
  EXPECT_EQ(pool.submit(my_names, 0).get(), "crunch-0 1");
}

std::atomic<int> child_signals{0};

TEST(ProcessPool, LeavesTheUsersChildrenAndSignalsAlone) {
  struct sigaction quiet {};
  struct sigaction old {};
  quiet.sa_handler = [](int) { ++child_signals; };
  sigaction(SIGCHLD, &quiet, &old);
  child_signals = 0;
  {
    process_pool pool({.max_workers = 2});
    EXPECT_THROW(pool.submit(tandem::test::die, tandem::test::death::sigkill).get(),
                 tandem::worker_died_error);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  EXPECT_EQ(child_signals, 0);
  sigaction(SIGCHLD, &old, nullptr);
}

TEST(ProcessPool, LeavesNothingWhenItsProcessIsKilled) {
  for (int round = 0; round < 10; ++round) {
    const busy_parent parent(nullptr);
    ASSERT_EQ(parent.named.size(), 3U);  // the fork server and two workers, busy
    parent.kill_it();
    for (const int fd : parent.named) EXPECT_TRUE(is_gone(fd));
  }
}

// A terminal sends the signal to all of the foreground's process group.
TEST(ProcessPool, EndsQuietlyAndSoonWithAProgramThatIsInterrupted) {
  const busy_parent parent(nullptr);
  ASSERT_EQ(parent.named.size(), 3U);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(kill(-parent.pid, SIGINT), 0);
  int status = 0;
  ASSERT_EQ(waitpid(parent.pid, &status, 0), parent.pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
  for (const int fd : parent.named) EXPECT_TRUE(is_gone(fd));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1) * tandem::test::slowness());
  EXPECT_EQ(parent.rest_of_output(), "");
}

TEST(ProcessPool, LeavesAnInterruptThatTheProgramHandlesToTheProgram) {
  const busy_parent parent("handles");
  ASSERT_EQ(parent.named.size(), 3U);
  ASSERT_EQ(kill(-parent.pid, SIGINT), 0);
  int status = 0;
  ASSERT_EQ(waitpid(parent.pid, &status, 0), parent.pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 130) << status;
  for (const int fd : parent.named) EXPECT_TRUE(is_gone(fd));
  EXPECT_EQ(parent.rest_of_output(), "interrupted\n");
}

TEST(ProcessPool, LeavesNothingWhenItsProcessIsKilledAndAForkedChildLivesOn) {
  const busy_parent parent("child");
  ASSERT_EQ(parent.named.size(), 4U);
  parent.kill_it();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(is_gone(parent.named[i]));
  EXPECT_EQ(syscall(SYS_pidfd_send_signal, parent.named[3], SIGKILL, nullptr, 0), 0);
  EXPECT_TRUE(is_gone(parent.named[3]));
}

TEST(ProcessPool, EndsWhileAForkedChildLivesOn) {
  std::array<int, 2> gate{};
  ASSERT_EQ(pipe2(gate.data(), O_CLOEXEC), 0);
  pid_t child = -1;
  {
    process_pool pool({.max_workers = 1});
    EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
    child = fork();
    if (child == 0) {
      close(gate[1]);
      char nothing = 0;
      _exit(read(gate[0], &nothing, 1) == 0 ? 0 : 1);
    }
  }  // would wait for the child, which waits for the test
  close(gate[1]);
  close(gate[0]);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

TEST(ProcessPool, SurvivesTheDeathOfItsForkServer) {
  process_pool pool({.max_workers = 2});
  const tandem::test::fifo started;
  const tandem::test::fifo gate;
  const int worker = pool.submit(tandem::test::worker_pid).get();
  auto lost = pool.submit(
      [](std::string first, std::string second) {
        tandem::test::pass(first);
        return tandem::test::pass(second);
      },
      started.path(), gate.path());
  std::vector<tandem::future<int>> waiting;
  started.release();
  std::ifstream stat("/proc/" + std::to_string(worker) + "/stat");
  std::string skip;
  int server = 0;
  stat >> skip >> skip >> skip >> server;
  ASSERT_GT(server, 1);
  kill(server, SIGKILL);
  for (int i = 0; i < 50; ++i) waiting.push_back(pool.submit(tandem::test::add_one, i));
  try {
    lost.get();
    ADD_FAILURE();
  } catch (const tandem::worker_died_error& e) {
    EXPECT_NE(std::string(e.what()).find("together with its fork server"), std::string::npos) << e.what();
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(waiting[static_cast<std::size_t>(i)].get(), i + 1);
}

TEST(ProcessPool, SaysWhatIsMissingWhenMainDoesNotCallInit) {
  int status = 0;
  const std::string text = run(TANDEM_NO_INIT, &status);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << text;
  EXPECT_NE(text.find("tandem::init(argc, argv)"), std::string::npos) << text;
}

TEST(ProcessPool, IsNotUsableInAForkedChildAndNotHarmedByIt) {
  process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
  const pid_t child = fork();
  if (child == 0) {
    try {
      static_cast<void>(pool.submit(tandem::test::add_one, 1));
    } catch (const tandem::broken_pool_error& e) {
      pool.shutdown();
      _exit(std::string(e.what()).find("forked child") != std::string::npos ? 7 : 8);
    }
    _exit(9);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pool.submit(tandem::test::add_one, i).get(), i + 1);
}

TEST(ProcessPool, RefusesForkFromAProcessWithThreads) {
  std::atomic<bool> stop{false};
  std::thread other([&] { stop.wait(false); });
  try {
    process_pool pool({.max_workers = 1, .start = tandem::start_method::fork});
    ADD_FAILURE();
  } catch (const tandem::start_error& e) {
    EXPECT_NE(std::string(e.what()).find("threads"), std::string::npos) << e.what();
  }
  stop = true;
  stop.notify_one();
  other.join();
}

std::size_t count_of(const std::string& what, const std::string& text) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// What fork_parent does is in its file: a pool must be forked before there is a thread, so it is a program of its own.
TEST(ForkedPool, DoesNotWriteTheParentsBufferedTextAgain) {
  const std::string text = run(TANDEM_FORK_PARENT " work");
  EXPECT_NE(text.find("2 done"), std::string::npos) << text;
  EXPECT_EQ(count_of("written once", text), 1U) << text;
}

#if !defined(__SANITIZE_ADDRESS__)  // its shadow memory does not fit under any limit
TEST(ForkedPool, LimitsMemoryBeyondWhatTheWorkerWasBornWith) {
  const std::string text = run(TANDEM_FORK_PARENT " memory");
  EXPECT_NE(text.find("small fits, large does not"), std::string::npos) << text;
}
#endif

TEST(ForkedPool, DoesAllThatOthersDo) {
  EXPECT_EQ(run(TANDEM_FORK_PARENT " scene"), std::string(tandem::test::scene_went_well) + "\n");
}

TEST(ForkedPool, SaysThatItCannotBeForkedAgainWhenItsServerDies) {
  const std::string text = run(TANDEM_FORK_PARENT " server");
  EXPECT_NE(text.find("start_method::fork cannot make another one"), std::string::npos) << text;
}

int nested(int depth) {
  if (depth == 0) return 1;
  process_pool pool({.max_workers = 1});
  return 1 + pool.submit(nested, depth - 1).get();
}

TEST(ProcessPool, WorksInsideAWorkerDownToALimit) {
  process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit(nested, 2).get(), 3);
  EXPECT_THROW(pool.submit(nested, 20).get(), tandem::start_error);
}

TEST(ProcessPool, CanBeCreatedInManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> sum{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&sum, i] {
      process_pool pool({.max_workers = 2});
      sum += pool.submit(tandem::test::add_one, i).get();
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(sum, 1 + 2 + 3 + 4 + 5 + 6);
}

TEST(ProcessPool, RunsMoreWorkersThanThereAreCpus) {
  process_pool pool({.max_workers = 6});
  tandem::test::fifo gate;
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < 6; ++i) tasks.push_back(pool.submit(tandem::test::pass, gate.path()));
  while (pool.stats().running != 6) std::this_thread::yield();  // all at the gate at the same time
  gate.release_all();
  std::set<int> pids;
  for (auto& t : tasks) pids.insert(t.get());
  EXPECT_EQ(pids.size(), 6U);
}

#if !defined(__SANITIZE_ADDRESS__)  // its shadow memory does not fit under any limit
std::size_t allocate(std::size_t bytes) {
  const std::unique_ptr<char[]> block(new char[bytes]);
  volatile char* touched = block.get();  // or the compiler leaves the allocation out
  for (std::size_t i = 0; i < bytes; i += 4096) touched[i] = 1;
  return bytes;
}

TEST(ProcessPool, LimitsTheMemoryOfWorkers) {
  process_pool pool({.max_workers = 1, .memory_limit = 64U << 20U});
  EXPECT_EQ(pool.submit(allocate, std::size_t{1} << 20U).get(), std::size_t{1} << 20U);
  EXPECT_THROW(pool.submit(allocate, std::size_t{1} << 30U).get(), std::bad_alloc);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}
#endif

}  // namespace
