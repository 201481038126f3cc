// A task that overwrites the memory which its worker shares with the pool. Whatever it writes there: every future
// resolves, no value is made up, and the pool lives.
#include "faults/tasks.hpp"

#include "support/asleep.hpp"
#include "support/processes.hpp"

#include "process_pool/ring.hpp"

#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <fstream>
#include <future>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using tandem::process_pool;
namespace process = tandem::process;

/// Where the ring of this worker process lies.
process::slot* slots_of_this_worker() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:tandem-ring") == std::string::npos) continue;
    std::uintptr_t begin = 0;
    std::istringstream(line) >> std::hex >> begin;
    return reinterpret_cast<process::slot*>(begin + 4096);  // behind the header's page
  }
  return nullptr;
}

/// From now on, in a thread of the worker's own: every answer claims to be a `kind`.
int falsify_answers(std::uint32_t kind) {
  process::slot* slots = slots_of_this_worker();
  if (slots == nullptr) return 0;
  std::thread([slots, kind] {
    for (;;) {
      for (std::size_t i = 0; i < process::slot_count; ++i)
        std::atomic_ref<std::uint32_t>(slots[i].answer).store(kind, std::memory_order_relaxed);
    }
  }).detach();
  return 1;
}

int return_zero(int) { return 0; }  // encoded, it looks like a null exception

class FalseAnswers : public testing::TestWithParam<std::uint32_t> {};

TEST_P(FalseAnswers, AreErrorsOfTheirOwnTask) {
  process_pool pool({.max_workers = 1});
  try {
    EXPECT_EQ(pool.submit(falsify_answers, GetParam()).get(), 1);
  } catch (const tandem::decode_error&) {
    // Its own answer may be hit already.
  }
  int refused = 0;
  for (int i = 0; i < 20000 && refused < 20; ++i) {
    try {
      ASSERT_EQ(pool.submit(return_zero, i).get(), 0);
    } catch (const tandem::decode_error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

/// Overwrites the states of all tasks that wait behind this one.
int overwrite_states(std::string started, std::uint32_t with) {
  tandem::test::pass(started);
  process::slot* slots = slots_of_this_worker();
  for (std::size_t i = 0; i < process::slot_count; ++i) {
    if (process::state_of(slots[i]) == process::slot_state::ready) slots[i].state = with;
  }
  return 1;
}

class FalseStates : public testing::TestWithParam<std::uint32_t> {};

TEST_P(FalseStates, LeaveNoTaskUnresolved) {
  process_pool pool({.max_workers = 1});
  for (int round = 0; round < 20; ++round)
    pool.map({.chunk_size = 1}, tandem::test::add_one, std::vector<int>(50));
  const tandem::test::fifo started;
  auto first = pool.submit(overwrite_states, started.path(), GetParam());
  std::vector<tandem::future<int>> behind;
  for (int i = 0; i < 100; ++i) behind.push_back(pool.submit(tandem::test::add_one, i));
  started.release();
  EXPECT_EQ(first.get(), 1);
  for (int i = 0; i < 100; ++i) {
    try {
      EXPECT_EQ(behind[static_cast<std::size_t>(i)].get(), i + 1);
    } catch (const tandem::worker_died_error&) {
    } catch (const tandem::decode_error&) {}
  }
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

// The worker sleeps, for it waits for a task in that slot, and nobody waits for the task.
TEST(FalseState, BehindATaskThatSomebodyHasFetchedIsFoundByTheManager) {
  process_pool pool({.max_workers = 1});
  for (int i = 0; i < 200; ++i) EXPECT_EQ(pool.submit(tandem::test::add_one, i).get(), i + 1);
  const tandem::test::fifo started;
  auto first = pool.submit(overwrite_states, started.path(), 0);
  while (pool.stats().running == 0) sched_yield();
  std::atomic<int> id{0};
  std::thread fetcher([&] {
    id = tandem::test::this_thread();
    id.notify_all();
    EXPECT_EQ(first.get(), 1);
  });
  id.wait(0);
  tandem::test::wait_until_asleep(id);
  std::promise<std::exception_ptr> ended;
  pool.submit(tandem::test::add_one, 1).share().on_done([&](const auto& behind) {
    ended.set_value(behind.exception());
  });
  for (const auto& [thread, name] : tandem::test::threads())
    if (name == "tandem-manager") tandem::test::wait_until_asleep(thread);
  started.release();
  EXPECT_THROW(std::rethrow_exception(ended.get_future().get()), tandem::worker_died_error);
  fetcher.join();
}

// Not "done": that is an answer, of whatever lay there before.
INSTANTIATE_TEST_SUITE_P(States, FalseStates, testing::Values(0U, 2U, 4U, 99U));

int claim_a_failed_initializer() {
  auto* header =
      reinterpret_cast<process::header*>(reinterpret_cast<std::byte*>(slots_of_this_worker()) - 4096);
  header->life = static_cast<std::uint32_t>(process::life::init_failed);
  _exit(3);
}

TEST(FalseLife, OfAWorkerThatServedDoesNotBreakThePool) {
  process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
  EXPECT_THROW(pool.submit(claim_a_failed_initializer).get(), tandem::worker_died_error);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

INSTANTIATE_TEST_SUITE_P(Kinds, FalseAnswers,
                         testing::Values(static_cast<std::uint32_t>(process::answer::exception),
                                         static_cast<std::uint32_t>(process::answer::skipped), 77U));

}  // namespace
