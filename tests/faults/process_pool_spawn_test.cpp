// Workers that are fresh starts of the program: start_method::spawn. What may happen to them is what may happen to any
// worker; here is what is their own.
#include "faults/programs.hpp"
#include "faults/start_scene.hpp"
#include "faults/tasks.hpp"
#include "support/process_gate.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::start_method;
using tandem::test::death;
using tandem::test::is_gone;
using tandem::test::shared_counter;

// Of the process in which this program was started.
const int started_in = static_cast<int>(getpid());  // NOLINT: that it is run before main is the point

struct origin {
  int started = 0;
  int self = 0;
  int parent = 0;
};
origin tell_origin() { return {started_in, static_cast<int>(getpid()), static_cast<int>(getppid())}; }

TEST(SpawnedPool, WorkersAreFreshStartsOfTheProgram) {
  process_pool pool({.max_workers = 1, .start = start_method::spawn});
  const origin spawned = pool.submit(tell_origin).get();
  EXPECT_EQ(spawned.started, spawned.self);
  process_pool other({.max_workers = 1});
  const origin forked = other.submit(tell_origin).get();
  EXPECT_EQ(forked.started, forked.parent);
}

std::string describe() {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    text += entry.path().filename().string() + " ";
  std::ifstream comm("/proc/self/comm");
  std::string name;
  std::getline(comm, name);
  return text + name + (getpgrp() == getpid() ? " leads" : " is led");
}

TEST(SpawnedPool, DoesAllThatOthersDo) {
  EXPECT_EQ(tandem::test::play(start_method::spawn), tandem::test::scene_went_well);
  EXPECT_EQ(tandem::test::play(start_method::fork_server), tandem::test::scene_went_well);
}

TEST(SpawnedPool, WorkersHaveOnlyTheirOwnDescriptorsAndAreNamed) {
  const int mine = open("/etc/passwd", O_RDONLY);  // not even close-on-exec
  process_pool pool({.max_workers = 1, .name_prefix = "crunch", .start = start_method::spawn});
  const std::string text = pool.submit(describe).get();
  close(mine);
  // Stdio, the ring's peers - socket and bell, and the ring - and the directory that is being read.
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 3 + 3 + 1 + 1) << text;
  EXPECT_NE(text.find("crunch-0 leads"), std::string::npos) << text;
}

int descriptors_of_a_child() {
  FILE* pipe = popen("ls /proc/self/fd | wc -l", "r");
  int count = -1;
  if (std::fscanf(pipe, "%d", &count) != 1) count = -2;
  pclose(pipe);
  return count;
}

TEST(SpawnedPool, ChildrenOfTasksGetNoDescriptorOfOurs) {
  process_pool pool({.max_workers = 1, .start = start_method::spawn});
  EXPECT_EQ(pool.submit(descriptors_of_a_child).get(), 3 + 1);
}

TEST(SpawnedPool, DeathFailsOneTaskAndIsRetried) {
  process_pool pool({.max_workers = 2, .start = start_method::spawn});
  std::vector<tandem::future<int>> good;
  auto bad = pool.submit(tandem::test::die, death::sigkill);
  auto retried = pool.submit({.retries = 2}, tandem::test::die, death::abort_);
  for (int i = 0; i < 20; ++i) good.push_back(pool.submit(tandem::test::add_one, i));
  EXPECT_THROW(bad.get(), tandem::worker_died_error);
  try {
    retried.get();
    ADD_FAILURE();
  } catch (const tandem::worker_died_error& e) {
    EXPECT_EQ(e.signal(), SIGABRT);
    EXPECT_NE(std::string(e.what()).find("3"), std::string::npos) << e.what();  // tries
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(good[static_cast<std::size_t>(i)].get(), i + 1);
}

TEST(SpawnedPool, TimeoutKillsTheWorkerThatIsLate) {
  process_pool pool({.max_workers = 1, .start = start_method::spawn});
  const tandem::test::fifo never;
  auto late = pool.submit({.timeout = 50ms}, tandem::test::pass, never.path());
  EXPECT_THROW(late.get(), tandem::timeout_error);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

TEST(SpawnedPool, SurvivesTheDeathOfItsForkServer) {
  process_pool pool({.max_workers = 2, .start = start_method::spawn});
  const int server = pool.submit(tell_origin).get().parent;
  std::vector<tandem::future<int>> waiting;
  for (int i = 0; i < 50; ++i) waiting.push_back(pool.submit({.retries = 3}, tandem::test::add_one, i));
  kill(server, SIGKILL);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(waiting[static_cast<std::size_t>(i)].get(), i + 1);
  while (pool.submit({.retries = 3}, tell_origin).get().parent == server) {
    // The old worker may live for a moment.
  }
}

TEST(SpawnedPool, LargePayloadsGoBothWays) {
  process_pool pool({.max_workers = 2, .start = start_method::spawn});
  const std::string text(std::size_t{3} << 20U, 'x');
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pool.submit(tandem::test::echo, text).get(), text);
}

constexpr char calls_variable[] = "TANDEM_TEST_SPAWN_CALLS";

TEST(SpawnedPool, HooksRunInEachWorkerAndAFailingOneBreaksThePool) {
  const tandem::test::scratch_directory files;
  setenv(calls_variable, (files / "calls").c_str(), 1);
  const shared_counter calls(files / "calls");
  const auto count = [] { shared_counter(std::getenv(calls_variable)).add(); };
  {
    process_pool pool(
        {.max_workers = 1, .start = start_method::spawn, .initializer = count, .finalizer = count});
    for (int i = 0; i < 4; ++i) EXPECT_EQ(pool.submit(tandem::test::add_one, i).get(), i + 1);
  }
  EXPECT_EQ(calls.value(), 2);
  process_pool broken({.max_workers = 1, .start = start_method::spawn, .initializer = [] {
                         throw std::runtime_error("no table");
                       }});
  EXPECT_THROW(broken.submit(tandem::test::add_one, 1).get(), tandem::broken_pool_error);
}

TEST(SpawnedPool, LeavesNothingWhenItsProcessIsKilled) {
  const tandem::test::busy_parent parent("spawn");
  ASSERT_EQ(parent.named.size(), 3U);  // the fork server and two workers, busy
  parent.kill_it();
  for (const int fd : parent.named) EXPECT_TRUE(is_gone(fd));
}

TEST(SpawnedPool, ArgumentsOfTheLibraryAreRefusedByHand) {
  for (const std::string argument :
       {"--tandem-worker=", "--tandem-worker=1,2,3", "--tandem-worker=1,2,3,4,5,6,7",
        "--tandem-worker=1,2,3,4,5,x", "--tandem-fork-server=x", "--tandem-fork-server=1"}) {
    int status = 0;
    const std::string text = tandem::test::run(TANDEM_POOL_PARENT " " + argument, &status);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << argument << status;
    EXPECT_NE(text.find("is for the library's own use"), std::string::npos) << text;
  }
}

}  // namespace
