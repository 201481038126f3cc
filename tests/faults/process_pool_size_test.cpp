// Process pools whose workers come and go: idle ones end, and the pool is resized.
#include <tandem/process_pool.hpp>

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/process_gate.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::test::scratch_directory;
using tandem::test::shared_counter;
using tandem::test::shared_gate;

int arrive_and_pass(std::string arrivals, std::string gate) {
  shared_counter(arrivals).add();
  shared_counter(gate).wait_for(1);
  return 1;
}

int add_one(int x) { return x + 1; }

int die_at_seven(int x) {
  if (x % 7 == 0) std::raise(SIGKILL);
  return x + 1;
}

struct hook {
  explicit hook(const std::string& counter) { counter.copy(path, sizeof path - 1); }
  void operator()() const { shared_counter(path).add(); }
  char path[120] = {};
};
auto counting(const std::string& counter) {
  return tandem::by_value([h = hook(counter)] { h(); });
}

// Runs a task on each of `workers` workers at the same time.
void use_all(process_pool& pool, const scratch_directory& directory, int workers) {
  static int uses = 0;
  const std::string name = std::to_string(++uses);
  shared_gate gate(directory / ("gate" + name));
  std::vector<tandem::future<int>> fs;
  for (int i = 0; i < workers; ++i)
    fs.push_back(pool.submit(arrive_and_pass, directory / ("arrivals" + name), gate.path()));
  shared_counter(directory / ("arrivals" + name)).wait_for(workers);
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

// For the end of a process, which nobody tells.
void wait_for_workers(const process_pool& pool, int workers) {
  while (pool.stats().workers != workers) std::this_thread::sleep_for(1ms);
}

TEST(ProcessPoolSize, IdleWorkersEndAndComeAgain) {
  const scratch_directory directory;
  const shared_counter begun(directory / "begun");
  const shared_counter ended(directory / "ended");
  {
    process_pool pool({.max_workers = 3,
                       .initializer = counting(directory / "begun"),
                       .finalizer = counting(directory / "ended"),
                       .idle_timeout = 20ms});
    for (int round = 1; round <= 3; ++round) {
      use_all(pool, directory, 3);
      ended.wait_for(begun.value());
      wait_for_workers(pool, 0);
      EXPECT_EQ(begun.value(), 3 * round) << "one that has ended is not replaced";
    }
    EXPECT_EQ(pool.stats().restarts, 0) << "nobody has died";
    EXPECT_EQ(pool.submit(add_one, 1).get(), 2);
  }
  EXPECT_EQ(begun.value(), ended.value());
}

// Neither the one that is busy, nor those that have just been used.
TEST(ProcessPoolSize, OnlyIdleWorkersEnd) {
  const scratch_directory directory;
  process_pool pool({.max_workers = 3, .idle_timeout = 50ms});
  use_all(pool, directory, 3);
  shared_gate gate(directory / "gate");
  auto busy = pool.submit(arrive_and_pass, directory / "arrivals", gate.path());
  wait_for_workers(pool, 1);
  EXPECT_EQ(pool.stats().running, 1);
  EXPECT_EQ(pool.submit(add_one, 1).get(), 2);
  gate.open();
  EXPECT_EQ(busy.get(), 1);
}

TEST(ProcessPoolSize, ManagerSleepsBetweenTheEndsOfIdleWorkers) {
  const scratch_directory directory;
  process_pool pool({.max_workers = 2, .idle_timeout = 300ms});
  use_all(pool, directory, 2);
  const auto begin = std::clock();  // of all threads of this process
  wait_for_workers(pool, 0);
  std::this_thread::sleep_for(300ms);
  const auto used = std::chrono::duration<double>(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  EXPECT_LT(used, 150ms * tandem::test::slowness());
}

TEST(ProcessPoolSize, MoreWorkersComeForWhatWaits) {
  const scratch_directory directory;
  process_pool pool({.max_workers = 1});
  pool.map({.chunk_size = 1}, add_one, std::vector<int>(200));  // short: a ring may take several tasks now
  std::vector<tandem::future<int>> fs;
  {
    shared_gate gate(directory / "gate");
    const shared_counter arrivals(directory / "arrivals");
    for (int i = 0; i < 20; ++i)
      fs.push_back(pool.submit(arrive_and_pass, directory / "arrivals", gate.path()));
    arrivals.wait_for(1);
    for (const int workers : {2, 5}) {
      pool.resize(workers);
      EXPECT_EQ(pool.max_workers(), workers);
      arrivals.wait_for(workers);
      EXPECT_EQ(pool.stats().workers, workers);
      EXPECT_EQ(arrivals.value(), workers);
    }
  }
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

TEST(ProcessPoolSize, SurplusWorkersGetNoFurtherTaskAndEnd) {
  const scratch_directory directory;
  const shared_counter ended(directory / "ended");
  process_pool pool({.max_workers = 4, .finalizer = counting(directory / "ended")});
  std::vector<tandem::future<int>> fs;
  const shared_counter arrivals(directory / "arrivals");
  shared_gate first(directory / "first");
  for (int i = 0; i < 4; ++i)
    fs.push_back(pool.submit(arrive_and_pass, directory / "arrivals", first.path()));
  arrivals.wait_for(4);
  shared_gate second(directory / "second");
  for (int i = 0; i < 20; ++i)
    fs.push_back(pool.submit(arrive_and_pass, directory / "arrivals", second.path()));
  pool.resize(1);
  EXPECT_EQ(pool.max_workers(), 1);
  first.open();
  ended.wait_for(3);
  wait_for_workers(pool, 1);
  arrivals.wait_for(5);
  EXPECT_EQ(arrivals.value(), 5);
  EXPECT_EQ(pool.stats().running, 1);
  second.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  EXPECT_EQ(pool.stats().workers, 1);
  EXPECT_EQ(pool.stats().restarts, 0);
}

TEST(ProcessPoolSize, IdleWorkersAreTheFirstToGoWhenThereAreTooMany) {
  const scratch_directory directory;
  process_pool pool({.max_workers = 3});
  use_all(pool, directory, 3);
  shared_gate gate(directory / "gate");
  auto busy = pool.submit(arrive_and_pass, directory / "arrivals", gate.path());
  shared_counter(directory / "arrivals").wait_for(1);
  pool.resize(1);
  wait_for_workers(pool, 1);
  EXPECT_EQ(pool.stats().running, 1);
  gate.open();
  EXPECT_EQ(busy.get(), 1);
  EXPECT_EQ(pool.submit(add_one, 1).get(), 2);
}

TEST(ProcessPoolSize, ZeroChoosesAndWhatCannotBeIsRefused) {
  process_pool pool({.max_workers = 2});
  const auto message = [&](int workers) {
    try {
      pool.resize(workers);
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(message(-3).find("max_workers is -3"), std::string::npos);
  EXPECT_NE(message(70000).find("max_workers is 70000"), std::string::npos);
  EXPECT_EQ(pool.max_workers(), 2);
  const process_pool by_default;
  pool.resize(0);
  EXPECT_EQ(pool.max_workers(), by_default.max_workers());
  pool.shutdown();
  EXPECT_THROW(pool.resize(3), tandem::shutdown_error);
  EXPECT_THROW(process_pool({.idle_timeout = 0s}), std::invalid_argument);
}

// Resizes, idle ends and deaths against submits. The seed is printed; TANDEM_STRESS_SEED runs one again.
TEST(ProcessPoolSize, WorkersThatComeAndGoLoseNothing) {
  const tandem::test::seed_scope seed;
  auto random = tandem::test::seed_scope::generator();
  const auto one_of = [&](int first, int last) {
    return std::uniform_int_distribution<int>(first, last)(random);
  };
  for (int round = 0; round < std::max(1, 6 / tandem::test::slowness()); ++round) {
    process_pool pool({.max_workers = one_of(1, 4), .idle_timeout = std::chrono::milliseconds(one_of(1, 5))});
    for (int burst = 0; burst < 25; ++burst) {
      const bool deadly = one_of(0, 4) == 0;
      std::vector<tandem::future<int>> fs;
      const int count = one_of(1, 40);
      for (int i = 0; i < count; ++i) {
        fs.push_back(pool.submit(deadly ? die_at_seven : add_one, i));
        if (one_of(0, 15) == 0) pool.resize(one_of(1, 5));
      }
      for (int i = 0; i < count; ++i) {
        auto& f = fs[static_cast<std::size_t>(i)];
        if (deadly && i % 7 == 0) {
          EXPECT_THROW(f.get(), tandem::worker_died_error);
        } else {
          EXPECT_EQ(f.get(), i + 1);
        }
      }
      std::this_thread::sleep_for(std::chrono::microseconds(one_of(0, 6000)));
    }
  }
}

}  // namespace
