// What may happen to the fork server itself, and to what is said between it and the pool.
#include "faults/programs.hpp"
#include "faults/tasks.hpp"
#include "support/rounds.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;

int server_of_worker() { return static_cast<int>(getppid()); }

int stay() {
  for (;;) pause();
}

class StoppedServer : public testing::Test {
 protected:
  void stop_it() { ASSERT_EQ(kill(pool_.submit(server_of_worker).get(), SIGSTOP), 0); }
  process_pool pool_{{.max_workers = 2}};
};

TEST_F(StoppedServer, EndsWithItsPool) {
  stop_it();
  pool_.shutdown();
}

TEST_F(StoppedServer, IsNoHindranceToAnEndByForce) {
  auto endless = pool_.submit(stay);
  stop_it();
  pool_.kill();
  EXPECT_THROW(endless.get(), tandem::cancelled_error);
}

TEST_F(StoppedServer, KillsTheWorkerOfATaskThatTakesTooLong) {
  stop_it();
  auto late = pool_.submit({.timeout = 20ms}, stay);
  EXPECT_THROW(late.get(), tandem::timeout_error);
  EXPECT_EQ(pool_.submit(tandem::test::add_one, 1).get(), 2);
}

TEST_F(StoppedServer, StartsAWorkerThatIsMissing) {
  stop_it();
  auto endless = pool_.submit(stay);
  EXPECT_EQ(pool_.submit(tandem::test::add_one, 1).get(), 2);
  pool_.kill();
}

// More than the kernel lets be under way in either direction (some 280 messages).
TEST(Server, CanBeToldMuchWhileItHasMuchToTell) {
  if (tandem::test::slowness() > 1) GTEST_SKIP() << "hundreds of processes with a sanitizer's memory";
  constexpr int many = 700;
  process_pool pool({.max_workers = many});
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < many; ++i) tasks.push_back(pool.submit(stay));
  const auto are_there = [&] {
    const auto workers = pool.stats().per_worker;
    return workers.size() == many &&
           std::all_of(workers.begin(), workers.end(), [](const auto& row) { return row.pid > 0; });
  };
  while (!are_there()) std::this_thread::yield();
  pool.kill();
  for (auto& task : tasks) EXPECT_THROW(task.get(), tandem::cancelled_error);
}

TEST(Server, IsNotStartedUnderALimitOfFileSizesThatItsMemoryExceeds) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit low = before;
  low.rlim_cur = 1'000'000;
  setrlimit(RLIMIT_FSIZE, &low);
  try {
    const process_pool pool({.max_workers = 1});
    ADD_FAILURE() << "a ring is larger than that";
  } catch (const tandem::start_error& e) {
    EXPECT_NE(std::string(e.what()).find("ulimit -f"), std::string::npos) << e.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
}

std::size_t size_of_variable() { return std::string(std::getenv("TANDEM_TEST_LARGE")).size(); }

TEST(Server, IsGreetedHoweverMuchThereIsToSay) {
  constexpr std::size_t variables = 8;
  constexpr std::size_t size = 100'000;  // the kernel lets a single one have 128 KiB
  for (const auto start : {tandem::start_method::fork_server, tandem::start_method::spawn}) {
    tandem::process_pool_options options{.max_workers = 1, .start = start};
    options.environment["TANDEM_TEST_LARGE"] = std::string(size, 'x');
    for (std::size_t i = 1; i < variables; ++i)
      options.environment["TANDEM_TEST_LARGE" + std::to_string(i)] = std::string(size, 'y');
    process_pool pool(options);
    EXPECT_EQ(pool.submit(size_of_variable).get(), size);
  }
}

// What code that makes daemons does.
int close_all_descriptors(int x) {
  for (int fd = 3; fd < 1024; ++fd) close(fd);
  return x;
}

TEST(Server, TellsOfAWorkerThatCannotTellItself) {
  process_pool pool({.max_workers = 1});
  auto closes = pool.submit(close_all_descriptors, 1);
  while (!closes.is_ready())
    std::this_thread::yield();  // nobody who attends it, and hears of it in another way
  EXPECT_EQ(closes.get(), 1);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
  EXPECT_EQ(pool.stats().failed, 0);
}

#if !defined(__SANITIZE_ADDRESS__)  // which ends a crash by exit, and needs /proc itself
TEST(Server, ReportsACrashToAProcessThatCannotReadItsOwnFiles) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may change its root directory";
  EXPECT_EQ(tandem::test::run(TANDEM_CHROOT_PARENT), "signal 11, 0 calls; 2\n");
}
#endif

}  // namespace
