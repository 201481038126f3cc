// Large arguments and results from the outside: what is kept mapped, what is given back, what a death costs.
#include "faults/tasks.hpp"
#include "support/gate.hpp"
#include "support/process_gate.hpp"
#include "support/watchdog.hpp"

#include "process_pool/ring.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using tandem::process_pool;
namespace process = tandem::process;

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

/// Where slabs of the pool are mapped in this process: not writable, as only others' are.
std::set<std::string> slabs_of_others() {
  std::set<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:tandem-slab") != std::string::npos && line.find(" r--p ") != std::string::npos)
      found.insert(line.substr(0, line.find(' ')));
  }
  return found;
}

constexpr std::size_t large_size = 200'000;

std::string be_large_behind(std::string gate) {
  tandem::test::pass(gate);
  return std::string(large_size, 'x');
}

std::vector<std::string> see_slabs(std::string large) {
  const std::set<std::string> found = slabs_of_others();
  std::vector<std::string> answer(found.begin(), found.end());
  answer.push_back(std::to_string(large.size()));
  return answer;
}

int open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}
int descriptors_with(std::string) { return open_descriptors(); }

/// Of all memfds that this process has open.
std::size_t bytes_in_memfds() {
  std::size_t sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone).string().find("memfd:tandem-slab") == std::string::npos)
      continue;
    struct stat info {};
    if (stat(entry.path().c_str(), &info) == 0) sum += static_cast<std::size_t>(info.st_blocks) * 512;
  }
  return sum;
}

TEST(LargeTasks, LieInMemoryThatTheWorkerKeepsMapped) {
  process_pool pool({.max_workers = 1});
  const auto first = pool.submit(see_slabs, std::string(mebibyte, 'x')).get();
  EXPECT_EQ(first.size(), 2U);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(pool.submit(see_slabs, std::string(mebibyte, 'x')).get(), first) << i;
}

std::string grow(std::string text) { return text + text; }

TEST(LargeResults, LieInMemoryThatThePoolKeepsMapped) {
  process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit(grow, std::string(mebibyte, 'x')).get().size(), 2 * mebibyte);
  const std::set<std::string> first = slabs_of_others();
  EXPECT_EQ(first.size(), 1U);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pool.submit(grow, std::string(mebibyte, 'x')).get().size(), 2 * mebibyte);
    EXPECT_EQ(slabs_of_others(), first) << i;
  }
}

// What comes over is right although memory is used again: sizes go up and down, several are under way.
TEST(LargeTasks, ArriveWholeWhateverLayThereBefore) {
  process_pool pool({.max_workers = 2});
  std::vector<std::vector<int>> inputs;
  for (int i = 0; i < 60; ++i) {
    inputs.emplace_back(static_cast<std::size_t>(20'000 + (i * 7919) % 100 * 3'000));
    std::iota(inputs.back().begin(), inputs.back().end(), i);
  }
  const auto reverse = [](std::vector<int> values) {
    std::reverse(values.begin(), values.end());
    return values;
  };
  std::vector<std::vector<int>> outputs = pool.map({.chunk_size = 1}, reverse, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::reverse(outputs[i].begin(), outputs[i].end());
    EXPECT_EQ(outputs[i], inputs[i]) << i;
  }
}

TEST(LargeTasks, LeaveDescriptorsAndMemoryAsTheyWere) {
  process_pool pool({.max_workers = 2});
  const auto round = [&pool] {
    std::vector<tandem::future<std::string>> tasks;
    for (std::size_t i = 1; i <= 12; ++i)
      tasks.push_back(pool.submit(tandem::test::echo, std::string(i * mebibyte / 2, 'x')));
    for (std::size_t i = 1; i <= 12; ++i) EXPECT_EQ(tasks[i - 1].get().size(), i * mebibyte / 2);
  };
  const auto in_worker = [&pool] { return pool.submit(descriptors_with, std::string(mebibyte, 'x')).get(); };
  for (int i = 0; i < 5; ++i) round();
  const int descriptors = open_descriptors();
  for (int i = 0; i < 10; ++i) round();
  EXPECT_LE(open_descriptors(), descriptors + 16);  // slabs that are kept
  EXPECT_LE(in_worker(), 40);
  EXPECT_LE(bytes_in_memfds(), std::size_t{256} * mebibyte);
}

TEST(LargeTasks, AboveWhatASlabHoldsLeaveNothingBehind) {
  process_pool pool({.max_workers = 1});
  const std::size_t size = 70 * mebibyte;
  for (int i = 0; i < 3; ++i) {
    const std::string back =
        pool.submit(tandem::test::echo, std::string(size, static_cast<char>('a' + i))).get();
    EXPECT_EQ(back.size(), size);
    EXPECT_EQ(back[size - 1], 'a' + i);
  }
  EXPECT_EQ(bytes_in_memfds(), 0U);
}

// --- deaths ---

/// Dies at its first try, with the large argument in hand.
std::size_t die_once(std::string path, std::string large) {
  if (tandem::test::shared_counter(path).add() == 1) kill(getpid(), SIGKILL);
  return static_cast<std::size_t>(std::count(large.begin(), large.end(), 'y'));
}

TEST(LargeTasks, AreSentAgainWithAllTheirBytesWhenTheWorkerDies) {
  process_pool pool({.max_workers = 1});
  const tandem::test::scratch_directory files;
  EXPECT_EQ(pool.submit(tandem::test::echo, std::string(mebibyte, 'x')).get().size(), mebibyte);
  EXPECT_EQ(pool.submit({.retries = 1}, die_once, files / "tries", std::string(mebibyte, 'y')).get(),
            mebibyte);
  EXPECT_EQ(pool.submit(tandem::test::echo, std::string(mebibyte, 'z')).get(), std::string(mebibyte, 'z'));
}

TEST(LargeTasks, OfOtherWorkersDoNotNoticeThatOneDies) {
  process_pool pool({.max_workers = 2});
  std::vector<tandem::future<std::string>> echoes;
  std::vector<tandem::future<int>> deaths;
  const auto die_with = [](std::string) { return tandem::test::die(tandem::test::death::sigkill); };
  for (int i = 0; i < 20; ++i) {
    echoes.push_back(pool.submit(tandem::test::echo, std::string(mebibyte, static_cast<char>('a' + i))));
    if (i % 4 == 0) deaths.push_back(pool.submit(die_with, std::string(mebibyte, 'x')));
  }
  for (auto& death : deaths) EXPECT_THROW(death.get(), tandem::worker_died_error);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(echoes[static_cast<std::size_t>(i)].get(), std::string(mebibyte, static_cast<char>('a' + i)));
  EXPECT_LE(bytes_in_memfds(), std::size_t{256} * mebibyte);
}

/// Where the slots of this worker process lie.
process::slot* slots_of_this_worker() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:tandem-ring") != std::string::npos)
      return reinterpret_cast<process::slot*>(std::stoull(line, nullptr, 16) +
                                              4096);  // behind the header's page
  }
  return nullptr;
}

/// Passes the gate and answers; the moment that the answer is out, the worker is dead.
std::string answer_and_die(std::string gate, std::size_t size) {
  process::slot* const slots = slots_of_this_worker();
  const auto is_mine = [](const process::slot& s) {
    return process::state_of(s) == process::slot_state::taken;
  };
  process::slot* const mine = std::find_if(slots, slots + process::slot_count, is_mine);
  std::thread([mine, is_mine] {
    while (is_mine(*mine)) sched_yield();
    kill(getpid(), SIGKILL);
  }).detach();
  tandem::test::pass(gate);
  return std::string(size, 'y');
}

/// Whether the pool has the memory of the answer mapped already, or its memfd lies in the socket when the worker dies.
class AnswersOfTheDead : public testing::TestWithParam<bool> {};

TEST_P(AnswersOfTheDead, ArriveWhereverTheyLie) {
  process_pool pool({.max_workers = 2});
  const tandem::test::fifo first_gate;
  const tandem::test::fifo second_gate;
  tandem::test::gate in_callback;
  tandem::test::gate go_on;
  const tandem::test::gate_opener at_end(go_on);
  auto first = pool.submit(tandem::test::pass, first_gate.path());
  first.on_done([&] {  // holds the manager up
    in_callback.open();
    go_on.wait();
  });
  while (pool.stats().running == 0) sched_yield();
  const int worker = pool.submit(tandem::test::worker_pid).get();  // the other one
  if (GetParam()) {
    EXPECT_EQ(pool.submit(grow, std::string(mebibyte, 'x')).get().size(), 2 * mebibyte);
  }
  auto answered = pool.submit(answer_and_die, second_gate.path(), 2 * mebibyte);
  while (pool.stats().running < 2) sched_yield();
  first_gate.release();
  in_callback.wait();
  second_gate.release();
  while (kill(worker, 0) == 0) sched_yield();
  go_on.open();
  EXPECT_EQ(answered.get(), std::string(2 * mebibyte, 'y'));
  EXPECT_EQ(pool.submit(grow, std::string(mebibyte, 'z')).get(), std::string(2 * mebibyte, 'z'));
}

INSTANTIATE_TEST_SUITE_P(Memory, AnswersOfTheDead, testing::Bool());

// --- what does not fit ---

std::size_t available_memory() {
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("MemAvailable:", 0) == 0)
      return static_cast<std::size_t>(std::stoull(line.substr(13))) * 1024;
  }
  return 0;
}

TEST(LargeTasks, OfAHundredMegabytesAreAllDoneWhenThePoolIsShutDown) {
  if (tandem::test::slowness() > 1) GTEST_SKIP() << "sanitizers keep freed memory";
  constexpr std::size_t size = 100'000'000;
  if (available_memory() < 20 * size) GTEST_SKIP() << "needs 2 GB of memory";
  std::vector<tandem::future<std::size_t>> tasks;
  {
    process_pool pool({.max_workers = 2});
    const auto size_of = [](std::string text) { return text.size(); };
    for (int i = 0; i < 10; ++i) tasks.push_back(pool.submit(size_of, std::string(size, 'x')));
    pool.shutdown();
  }
  for (auto& task : tasks) EXPECT_EQ(task.get(), size);
}

/// Bytes of a message, each of which says where it lies.
class HugeTasks : public testing::TestWithParam<double> {
 protected:
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(GetParam() * 1e9); }
  void SetUp() override {
    if (tandem::test::slowness() > 1) GTEST_SKIP() << "sanitizers keep freed memory";
    if (available_memory() < size() * 7 / 2) GTEST_SKIP() << "needs " << 3.5 * GetParam() << " GB of memory";
  }
};

TEST_P(HugeTasks, ArriveAsArguments) {
  process_pool pool({.max_workers = 1});
  std::string text(size(), 'x');
  text.back() = 'z';
  const auto look = [](std::string all) {
    return std::to_string(all.size()) + all[all.size() / 2] + all.back();
  };
  EXPECT_EQ(pool.submit(look, std::move(text)).get(), std::to_string(size()) + "xz");
}

TEST_P(HugeTasks, ArriveAsResults) {
  process_pool pool({.max_workers = 1});
  const auto make = [](std::size_t size) {
    std::string text(size, 'x');
    text.back() = 'z';
    return text;
  };
  const std::string text = pool.submit(make, size()).get();
  ASSERT_EQ(text.size(), size());
  EXPECT_EQ(text[size() / 2], 'x');
  EXPECT_EQ(text.back(), 'z');
}

INSTANTIATE_TEST_SUITE_P(Gigabytes, HugeTasks, testing::Values(2.2, 4.5),
                         [](const auto& gigabytes) { return gigabytes.param < 3 ? "Above2" : "Above4"; });

// The manager is held up until the worker, which has had its share of tasks, has answered and gone.
TEST(Slabs, AreReadAfterTheirWorkerHasLeft) {
  process_pool pool({.max_workers = 2, .max_tasks_per_worker = 1});
  const tandem::test::fifo first_gate;
  const tandem::test::fifo large_gate;
  auto first = pool.submit(tandem::test::pass, first_gate.path());
  auto large = pool.submit({.name = "large"}, be_large_behind, large_gate.path());
  int worker = 0;
  while (worker <= 0) {
    for (const auto& row : pool.stats().per_worker) {
      if (row.task == "large") worker = row.pid;
    }
    sched_yield();
  }
  std::atomic<bool> manager_is_held{false};
  first.on_done([&] {
    manager_is_held = true;
    manager_is_held.notify_all();
    while (kill(worker, 0) == 0) sched_yield();
  });
  first_gate.release();
  manager_is_held.wait(false);
  large_gate.release();
  EXPECT_EQ(large.get(), std::string(large_size, 'x'));
}

}  // namespace
