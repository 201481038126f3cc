// What workers are made with: limits, priority, CPUs, environment, directory; with every way of starting them.
#include "faults/tasks.hpp"
#include "support/asleep.hpp"
#include "support/stop_place.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::process_pool_options;
using tandem::start_method;
using tandem::when_out_of_memory;
using tandem::worker_died_error;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;  // its shadow is private memory, too, and it does not give memory back
#else
constexpr bool sanitized = false;
#endif

int nice_value() { return getpriority(PRIO_PROCESS, 0); }

std::vector<int> cpus() {
  cpu_set_t mask;
  std::vector<int> result;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return result;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) result.push_back(cpu);
  }
  return result;
}

std::optional<std::string> variable(std::string name) {
  const char* const value = getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

std::string directory() { return std::filesystem::current_path().string(); }

int oom_score() {
  int score = 0;
  std::ifstream("/proc/self/oom_score_adj") >> score;
  return score;
}

class Conditions : public testing::TestWithParam<start_method> {};

TEST_P(Conditions, AreMetByWorkers) {
  const std::string here = directory();
  const int own_nice = nice_value();
  ASSERT_FALSE(cpus().empty());
  const int cpu = cpus().back();
  ASSERT_EQ(setenv("TANDEM_TEST_TAKEN", "away", 1), 0);
  process_pool pool({.max_workers = 2,
                     .start = GetParam(),
                     .nice = 3,
                     .affinity = {cpu, cpu},
                     .environment = {{"TANDEM_TEST_SET", "on"}, {"TANDEM_TEST_TAKEN", std::nullopt}},
                     .working_directory = "/tmp",
                     .oom_score_adj = 600});
  EXPECT_EQ(pool.submit(nice_value).get(), std::min(own_nice + 3, 19));
  EXPECT_EQ(pool.submit(cpus).get(), std::vector<int>{cpu});
  EXPECT_EQ(pool.submit(variable, std::string("TANDEM_TEST_SET")).get(), "on");
  EXPECT_EQ(pool.submit(variable, std::string("TANDEM_TEST_TAKEN")).get(), std::nullopt);
  EXPECT_EQ(pool.submit(directory).get(), "/tmp");
  EXPECT_EQ(pool.submit(oom_score).get(), 600);
  // This process is as it was.
  EXPECT_EQ(nice_value(), own_nice);
  EXPECT_EQ(directory(), here);
  EXPECT_EQ(getenv("TANDEM_TEST_SET"), nullptr);
  EXPECT_STREQ(getenv("TANDEM_TEST_TAKEN"), "away");
  unsetenv("TANDEM_TEST_TAKEN");
}

bool is_set() { return getenv("TANDEM_TEST_SET") != nullptr; }
bool was_set = false;

TEST_P(Conditions, AreMetBeforeTheInitializer) {
  process_pool pool({.max_workers = 1,
                     .start = GetParam(),
                     .initializer = [] { was_set = is_set(); },
                     .environment = {{"TANDEM_TEST_SET", "on"}}});
  EXPECT_TRUE(pool.submit([] { return was_set; }).get());
}

INSTANTIATE_TEST_SUITE_P(Starts, Conditions, testing::Values(start_method::fork_server, start_method::spawn),
                         [](const auto& instance) {
                           return std::string(instance.index == 0 ? "ForkServer" : "Spawn");
                         });

TEST(Conditions, ByDefaultTheKernelKillsAWorkerFirst) {
  process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit(oom_score).get(), std::max(500, oom_score()));
}

TEST(Conditions, SayHowManyWorkersThereAre) {
  process_pool pool({.affinity = {cpus().front()}});
  EXPECT_EQ(pool.max_workers(), 1);
}

/// The message of the refusal.
std::string refusal(process_pool_options options) {
  try {
    const process_pool pool(std::move(options));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  ADD_FAILURE() << "not refused";
  return {};
}

TEST(Conditions, ThatCannotBeAreRefusedByName) {
  const auto expect = [](const std::string& what, const std::string& field, const std::string& value) {
    EXPECT_NE(what.find("process_pool_options::" + field + " is "), std::string::npos) << what;
    EXPECT_NE(what.find(value), std::string::npos) << what;
  };
  expect(refusal({.nice = 20}), "nice", "20");
  expect(refusal({.nice = -21}), "nice", "-21");
  expect(refusal({.oom_score_adj = 1001}), "oom_score_adj", "1001");
  expect(refusal({.affinity = {-1}}), "affinity", "-1");
  expect(refusal({.affinity = {1000000}}), "affinity", "1000000");
  expect(refusal({.environment = {{"", "x"}}}), "environment", "\"\"");
  expect(refusal({.environment = {{"A=B", "x"}}}), "environment", "A=B");
  expect(refusal({.environment = {{"A", std::string("x\0y", 3)}}}), "environment", "\"A\"");
  expect(refusal({.working_directory = "/no such directory"}), "working_directory", "/no such directory");
  expect(refusal({.cpu_time_limit = 0s}), "cpu_time_limit", "0");
  expect(refusal({.when_out_of_memory = when_out_of_memory::kill}), "when_out_of_memory", "kill");
}

TEST(Conditions, ThatAWorkerCannotMeetBreakThePool) {
  const std::string path = "/tmp/tandem-test-gone-" + std::to_string(getpid());
  std::filesystem::create_directory(path);
  testing::internal::CaptureStderr();
  std::string what;
  {
    process_pool pool({.max_workers = 1, .working_directory = path});
    std::filesystem::remove(path);
    try {
      pool.submit(tandem::test::add_one, 1).get();
      ADD_FAILURE() << "the worker is somewhere else";
    } catch (const tandem::broken_pool_error& e) {
      what = e.what();
    }
  }
  testing::internal::GetCapturedStderr();
  EXPECT_NE(what.find("process_pool_options::working_directory is \"" + path), std::string::npos) << what;
}

long cpu_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_CPU, &limit);
  return static_cast<long>(limit.rlim_cur);
}

/// In all threads of the process.
void burn(std::chrono::milliseconds time) {
  const auto used = [] {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  const auto begin = used();
  while (used() - begin < time) {}
}

int burn_for_ever() {
  burn(1h);
  return 0;
}

TEST(CpuTimeLimit, EndsTheWorkerOfATaskThatUsesMore) {
  process_pool pool({.max_workers = 1, .cpu_time_limit = 200ms});
  auto endless = pool.submit({.name = "endless"}, burn_for_ever);
  auto next = pool.submit(tandem::test::add_one, 1);
  try {
    endless.get();
    FAIL();
  } catch (const worker_died_error& e) {
    EXPECT_EQ(e.signal(), SIGXCPU) << e.what();
    EXPECT_NE(std::string(e.what()).find("CPU time limit"), std::string::npos) << e.what();
  }
  EXPECT_EQ(next.get(), 2);
}

TEST(CpuTimeLimit, IsOfATaskAndNotOfItsWorker) {
  process_pool pool({.max_workers = 1, .cpu_time_limit = 20s});
  const long first = pool.submit(cpu_limit).get();
  EXPECT_LE(first, 22);
  pool.submit([] { burn(1050ms); }).get();
  EXPECT_GT(pool.submit(cpu_limit).get(), first);
}

std::vector<char> hoard;

/// Memory that stays.
int keep(std::size_t bytes) {
  hoard.resize(hoard.size() + bytes, 'x');
  return static_cast<int>(getpid());
}

std::size_t private_resident() {
  std::size_t size = 0;
  std::size_t resident = 0;
  std::size_t shared = 0;
  std::ifstream("/proc/self/statm") >> size >> resident >> shared;
  return (resident - shared) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

constexpr std::size_t mib = std::size_t{1} << 20U;

std::size_t at_the_beginning() { return process_pool({.max_workers = 1}).submit(private_resident).get(); }

TEST(MaxMemoryPerWorker, ReplacesAWorkerThatHasOutgrownIt) {
  process_pool pool({.max_workers = 1, .max_memory_per_worker = at_the_beginning() + 64 * mib});
  const int small = pool.submit(keep, 1 * mib).get();
  EXPECT_EQ(pool.submit(keep, 1 * mib).get(), small);
  EXPECT_EQ(pool.submit(keep, 96 * mib).get(), small);  // it is looked at between two tasks
  const int after = pool.submit(keep, 1 * mib).get();
  EXPECT_NE(after, small);
  EXPECT_EQ(pool.submit(keep, 1 * mib).get(), after);
  EXPECT_EQ(pool.stats().restarts, 1);
}

TEST(MaxMemoryPerWorker, LosesNoTaskThatWaitsBehind) {
  process_pool pool(
      {.max_workers = 2, .max_tasks_per_worker = 7, .max_memory_per_worker = at_the_beginning() + 16 * mib});
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(pool.submit(tandem::test::add_one, i).get(), i + 1);  // they come to be short
  std::vector<tandem::future<int>> tasks;
  for (int i = 0; i < 60; ++i) tasks.push_back(pool.submit(keep, 6 * mib));
  for (auto& f : tasks) EXPECT_GT(f.get(), 0);
  EXPECT_GE(pool.stats().restarts, 15);
}

int pass_and_keep(const std::string& path, std::size_t bytes) {
  tandem::test::pass(path);
  return keep(bytes);
}

// However late the manager comes to take back what lies behind.
TEST(MaxMemoryPerWorker, HasAWorkerThatHasOutgrownItBeginNothing) {
  process_pool pool({.max_workers = 1, .max_memory_per_worker = at_the_beginning() + 64 * mib});
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(pool.submit(tandem::test::add_one, i).get(), i + 1);  // they come to be short
  const tandem::test::fifo first;
  const tandem::test::fifo second;
  tandem::test::stop_place callback;
  auto plug = pool.submit(tandem::test::pass, first.path()).share();
  plug.on_done([&](const auto&) { callback.stop(); });
  first.release();
  callback.reached.wait();  // the manager is in there
  const int worker = plug.get();
  auto large = pool.submit(pass_and_keep, second.path(), 96 * mib);
  while (pool.stats().running == 0) sched_yield();
  auto behind = pool.submit(keep, 1 * mib);
  second.release();
  while (pool.stats().running != 0) sched_yield();
  tandem::test::wait_until_process_asleep(worker);  // it has done whatever it does of that
  callback.leave.open();
  EXPECT_EQ(large.get(), worker);
  EXPECT_NE(behind.get(), worker);
}

int want(std::size_t bytes) {
  const std::vector<char> much(bytes, 'x');
  return much[bytes / 2];
}

TEST(WhenOutOfMemory, KillsTheWorkerIfToldTo) {
  if (sanitized) GTEST_SKIP() << "AddressSanitizer's operator new asks no handler";
  testing::internal::CaptureStderr();
  process_pool pool(
      {.max_workers = 1, .memory_limit = 64 * mib, .when_out_of_memory = when_out_of_memory::kill});
  EXPECT_EQ(pool.submit(want, 1 * mib).get(), 'x');
  try {
    pool.submit(want, 256 * mib).get();
    ADD_FAILURE();
  } catch (const worker_died_error& e) {
    EXPECT_EQ(e.signal(), SIGABRT);
    EXPECT_NE(std::string(e.what()).find("process_pool_options::memory_limit"), std::string::npos)
        << e.what();
    EXPECT_FALSE(e.death().stack.empty()) << e.what();
  }
  EXPECT_EQ(pool.submit(want, 1 * mib).get(), 'x');
  EXPECT_NE(testing::internal::GetCapturedStderr().find("memory_limit"), std::string::npos);
}

}  // namespace
