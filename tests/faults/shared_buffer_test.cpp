// shared_buffer between processes: it goes to each worker once, comes back, and is gone when its last user is.
#include "faults/tasks.hpp"
#include "support/gate.hpp"
#include "support/process_gate.hpp"
#include "support/watchdog.hpp"

#include <tandem/process_pool.hpp>
#include <tandem/shared_buffer.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using tandem::process_pool;
using tandem::shared_buffer;

using numbers = shared_buffer<int>;

numbers count_up(int from, std::size_t size = 100'000) {
  return numbers(size, [from](std::span<int> to) { std::iota(to.begin(), to.end(), from); });
}

/// How many shared buffers a process has mapped.
int buffers_of(int pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:tandem-buffer") != std::string::npos) ++count;
  }
  return count;
}
int own_buffers() { return buffers_of(static_cast<int>(getpid())); }

/// Returns when the process has no more than `count` of them: a process that is not told would hang here.
void wait_until_it_has(int pid, int count) {
  while (buffers_of(pid) > count) sched_yield();
}

int descriptors_of(int pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

long sum(numbers values) { return std::accumulate(values.begin(), values.end(), 0L); }
const int* address(const numbers& values) { return values.data(); }
std::uintptr_t where_it_lies(numbers values) { return reinterpret_cast<std::uintptr_t>(address(values)); }

TEST(SharedBuffer, IsReadByAnyNumberOfTasks) {
  process_pool pool({.max_workers = 2});
  const numbers values = count_up(1, 1000);
  for (const long found : pool.map({.chunk_size = 1}, sum, std::vector<numbers>(50, values)))
    EXPECT_EQ(found, 500500);
}

TEST(SharedBuffer, GoesToAWorkerOnce) {
  process_pool pool({.max_workers = 1});
  const numbers values = count_up(1);
  const std::uintptr_t first = pool.submit(where_it_lies, values).get();
  const int descriptors = descriptors_of(pool.submit(tandem::test::worker_pid).get());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(pool.submit(where_it_lies, values).get(), first);
  EXPECT_EQ(descriptors_of(pool.submit(tandem::test::worker_pid).get()), descriptors);
}

TEST(SharedBuffer, CannotBeWrittenInAWorker) {
  process_pool pool({.max_workers = 1});
  const auto write = [](numbers values) {
    const_cast<int*>(values.data())[0] = 7;
    return 0;
  };
  const numbers values = count_up(1);
  EXPECT_THROW(pool.submit(write, values).get(), tandem::worker_died_error);
  EXPECT_EQ(values[0], 1);
}

struct job {
  std::string name;
  std::vector<numbers> parts;
  numbers empty;
};

TEST(SharedBuffer, GoesWithinOtherValuesAndMoreThanOnce) {
  process_pool pool({.max_workers = 1});
  const numbers a = count_up(0, 10);
  const numbers b = count_up(100, 10);
  const auto look = [](job all) {
    return all.name + std::to_string(all.parts[1][9]) + std::to_string(all.parts[3][0]) +
           std::to_string(all.empty.size()) + (all.parts[0] == all.parts[2] ? "same" : "other");
  };
  EXPECT_EQ(pool.submit(look, job{"x", {a, b, a, b}, {}}).get(), "x1091000same");
}

// --- results ---

numbers make(int from) { return count_up(from); }

TEST(SharedBuffer, IsMadeInAWorker) {
  process_pool pool({.max_workers = 2});
  numbers made = pool.submit(make, 5).get();
  ASSERT_EQ(made.size(), 100'000U);
  EXPECT_EQ(made[99'999], 100'004);
  EXPECT_EQ(pool.submit(sum, made).get(), sum(made));  // and sent on
  auto many = pool.map({.chunk_size = 3}, make, std::vector<int>{1, 2, 3, 4, 5, 6, 7});
  for (int i = 0; i < 7; ++i) EXPECT_EQ(many[static_cast<std::size_t>(i)][0], i + 1);
}

TEST(SharedBuffer, ComesBackAsWhatItWas) {
  process_pool pool({.max_workers = 1});
  const numbers values = count_up(1);
  const auto pair_up = [](numbers given) { return std::pair(given, given); };
  const auto [first, second] = pool.submit(pair_up, values).get();
  EXPECT_EQ(first, values);
  EXPECT_EQ(second, values);
}

numbers keep_or_give(int what, numbers given) {
  static numbers kept;
  if (what == 0) kept = given;
  return kept;
}

TEST(SharedBuffer, ComesBackFromATaskThatDidNotGetIt) {
  process_pool pool({.max_workers = 1});
  {
    const numbers values = count_up(7);
    pool.submit(keep_or_give, 0, values).get();
  }
  const numbers back = pool.submit(keep_or_give, 1, numbers{}).get();
  ASSERT_EQ(back.size(), 100'000U);
  EXPECT_EQ(back[0], 7);
}

// --- the end ---

TEST(SharedBuffer, IsGoneFromAnIdleWorkerWhenItsLastHandleIs) {
  process_pool pool({.max_workers = 1});
  for (int round = 0; round < 50; ++round) {
    numbers values = count_up(1);
    numbers copy = values;
    EXPECT_EQ(pool.submit(own_buffers).get(), 0);
    const int worker = pool.submit(tandem::test::worker_pid).get();
    EXPECT_EQ(pool.submit(sum, values).get(), sum(values));
    values = {};
    EXPECT_EQ(buffers_of(worker), 1);
    copy = {};
    wait_until_it_has(worker, 0);
  }
}

TEST(SharedBuffer, IsGoneFromAWorkerBehindTheTaskThatItRuns) {
  process_pool pool({.max_workers = 1});
  numbers values = count_up(1);
  const int worker = pool.submit(tandem::test::worker_pid).get();
  EXPECT_EQ(pool.submit(sum, values).get(), sum(values));
  const tandem::test::fifo gate;
  auto busy = pool.submit(tandem::test::pass, gate.path());
  while (pool.stats().running == 0) sched_yield();
  values = {};
  gate.release();
  busy.get();
  wait_until_it_has(worker, 0);
}

TEST(SharedBuffer, LivesAsLongAsATaskThatWaitsNeedsIt) {
  process_pool pool({.max_workers = 1});
  const tandem::test::fifo gate;
  auto busy = pool.submit(tandem::test::pass, gate.path());
  std::vector<tandem::future<long>> waiting;
  for (int i = 0; i < 10; ++i) waiting.push_back(pool.submit(sum, count_up(i, 10)));
  EXPECT_GE(own_buffers(), 10);
  gate.release();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(waiting[static_cast<std::size_t>(i)].get(), 45 + 10 * i);
  waiting.clear();
  wait_until_it_has(static_cast<int>(getpid()), 0);
  wait_until_it_has(busy.get(), 0);
}

TEST(SharedBuffer, IsKeptByAWorkerOnlySoOften) {
  process_pool pool({.max_workers = 1});
  std::vector<numbers> many;
  for (int i = 0; i < 100; ++i) many.push_back(count_up(i, 10));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i)
      EXPECT_EQ(pool.submit(sum, many[static_cast<std::size_t>(i)]).get(), 45 + 10 * i);
  }
  EXPECT_LE(pool.submit(own_buffers).get(), 33);
  const auto sum_all = [](std::vector<numbers> all) {
    long total = 0;
    for (const numbers& one : all) total += sum(one);
    return total;
  };
  EXPECT_EQ(pool.submit(sum_all, many).get(), 100 * 45 + 10 * 4950);  // more than it keeps, in one task
  EXPECT_LE(pool.submit(own_buffers).get(), 33);
  const int worker = pool.submit(tandem::test::worker_pid).get();
  many.clear();
  wait_until_it_has(worker, 0);
}

TEST(SharedBuffer, LeavesNoDescriptorBehind) {
  process_pool pool({.max_workers = 2});
  const auto round = [&pool] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(pool.submit(make, i).get()[0], i);
      EXPECT_EQ(pool.submit(sum, count_up(i, 10)).get(), 45 + 10 * i);
    }
  };
  round();
  const int before = descriptors_of(static_cast<int>(getpid()));
  for (int i = 0; i < 5; ++i) round();
  EXPECT_LE(descriptors_of(static_cast<int>(getpid())), before);
}

// --- deaths ---

int die_at_first(std::string tries, numbers values) {
  if (tandem::test::shared_counter(tries).add() == 1) kill(getpid(), SIGKILL);
  return values[0];
}

TEST(SharedBuffer, GoesToTheWorkerThatComesForADeadOne) {
  process_pool pool({.max_workers = 1});
  const tandem::test::scratch_directory files;
  const numbers values = count_up(42);
  EXPECT_EQ(pool.submit(sum, values).get(), sum(values));
  EXPECT_EQ(pool.submit({.retries = 1}, die_at_first, files / "tries", values).get(), 42);
  EXPECT_EQ(pool.submit(sum, values).get(), sum(values));
}

TEST(SharedBuffer, OfADeadWorkerLivesOnWhereItCame) {
  process_pool pool({.max_workers = 1});
  const numbers made = pool.submit(make, 3).get();
  EXPECT_THROW(pool.submit(tandem::test::die, tandem::test::death::sigkill).get(), tandem::worker_died_error);
  EXPECT_EQ(made[0], 3);
  EXPECT_EQ(pool.submit(sum, made).get(), sum(made));
}

TEST(SharedBuffer, OutlivesItsPool) {
  numbers made;
  numbers sent = count_up(1, 10);
  {
    process_pool pool({.max_workers = 1});
    made = pool.submit(make, 3).get();
    EXPECT_EQ(pool.submit(sum, sent).get(), 55);
  }
  sent = {};  // nobody is there to be told
  EXPECT_EQ(made[0], 3);
}

TEST(SharedBuffer, ThatIsCancelledIsSentAgainWhenItIsWanted) {
  process_pool pool({.max_workers = 1});
  for (int round = 0; round < 20; ++round)
    pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(50));
  const numbers values = count_up(1, 10);
  const tandem::test::fifo gate;
  auto busy = pool.submit(tandem::test::pass, gate.path());
  std::vector<tandem::future<long>> cancelled;
  for (int i = 0; i < 5; ++i)  // in the ring, with what the worker does not have
    cancelled.push_back(i == 3 ? pool.submit(sum, values) : pool.submit(sum, count_up(i, 10)));
  for (auto& task : cancelled) EXPECT_TRUE(task.cancel());
  gate.release();
  busy.get();
  EXPECT_EQ(pool.submit(sum, values).get(), 55);
}

// --- what cannot be ---

// UndefinedBehaviorSanitizer opens a pipe to find whether an object may be read, and takes a caught exception for none
// where it has no descriptor for that.
#if !defined(__SANITIZE_ADDRESS__)
TEST(SharedBuffer, SaysThatThereIsNoDescriptorForIt) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit few = before;
  few.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &few);
  std::string what;
  try {
    count_up(1);
  } catch (const std::system_error& e) {
    what = e.what();
  }
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_NE(what.find("ulimit -n"), std::string::npos) << what;
}

TEST(SharedBuffer, GoesThoughTheWorkerHadNoDescriptorForItAtFirst) {
  process_pool pool({.max_workers = 1});
  const auto limit_to = [](int most) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(most);
    setrlimit(RLIMIT_NOFILE, &limit);
    return most;
  };
  const numbers values = count_up(1, 10);
  pool.submit(limit_to, 0).get();
  try {
    pool.submit(sum, values).get();
    ADD_FAILURE();
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string(e.what()).find("ulimit -n"), std::string::npos) << e.what();
  }
  pool.submit(limit_to, 200).get();
  EXPECT_EQ(pool.submit(sum, values).get(), 55);
}
#endif

TEST(SharedBuffer, SaysThatATaskHasTooMany) {
  process_pool pool({.max_workers = 1});
  std::vector<numbers> many;
  for (int i = 0; i < 300; ++i) many.push_back(count_up(i, 1));
  const auto count = [](std::vector<numbers> all) { return all.size(); };
  EXPECT_THROW(pool.submit(count, many).get(), std::invalid_argument);
  many.resize(252);
  EXPECT_EQ(pool.submit(count, many).get(), 252U);
}

}  // namespace
