// Which worker's ring a task comes to lie in: never, for good, behind one that does not end while another is free.
#include "faults/gated.hpp"
#include "faults/tasks.hpp"
#include "support/asleep.hpp"
#include "support/processes.hpp"

#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::test::add_one;
using tandem::test::encoding;
using tandem::test::fifo;
using tandem::test::gated;
using tandem::test::go_on;
using tandem::test::let_it_be_encoded;
using tandem::test::pass;
using tandem::test::take_gated;

int manager_thread() {
  for (const int id : tandem::test::numbers_in("/proc/self/task")) {
    if (tandem::test::slurp("/proc/self/task/" + std::to_string(id) + "/comm") == "tandem-manager\n")
      return id;
  }
  throw std::logic_error("there is no manager thread");
}

// Two workers: the first, the one that is preferred when both have as much to do, runs a task that does not end; the pool
// trusts further tasks to be short, so that some may wait behind others.
class ProcessPoolPlacing : public testing::Test {
 protected:
  ProcessPoolPlacing() {
    while (pool_.stats().running == 0) sched_yield();
    earn_trust();
  }
  ~ProcessPoolPlacing() override {
    let_it_be_encoded();
    gate_.release();
    EXPECT_GT(endless_.get(), 0);
  }

  /// By short tasks, on the second worker. In vain if one of the last is held up: then none may wait behind another.
  void earn_trust() {
    encoding = false;
    go_on = false;
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(pool_.submit(add_one, i).get(), i + 1);
  }

  const fifo gate_;
  process_pool pool_{{.max_workers = 2}};
  tandem::future<int> endless_ = pool_.submit(pass, gate_.path());
};

TEST_F(ProcessPoolPlacing, TaskWhoseEncodingTakesLongDoesNotWaitBehindOneThatDoesNotEnd) {
  for (bool was_promised = false; !was_promised; earn_trust()) {
    const fifo second_gate;
    auto second = pool_.submit(pass, second_gate.path());
    while (pool_.stats().running != 2) sched_yield();
    tandem::future<int> late;
    std::atomic<bool> is_submitted{false};
    std::thread submitter([&] {
      late = pool_.submit(take_gated, gated{});
      is_submitted = true;
    });
    while (!encoding && !is_submitted) sched_yield();
    was_promised = encoding;  // a place at the first worker: they have equally much to do
    second_gate.release();
    EXPECT_GT(second.get(), 0);
    if (was_promised) tandem::test::wait_until_asleep(manager_thread());
    let_it_be_encoded();
    submitter.join();
    EXPECT_EQ(late.get(), 1) << "the second worker is idle";
  }
}

TEST_F(ProcessPoolPlacing, WorkerWhoseTaskCannotBeEncodedTakesOverWhatWaits) {
  tandem::future<int> bad;
  std::thread submitter([&] { bad = pool_.submit(take_gated, gated{.fails = true}); });
  encoding.wait(false);                   // a place at the second, that has nothing to do, is promised
  auto other = pool_.submit(add_one, 1);  // so this one lies behind the endless one
  tandem::test::wait_until_asleep(manager_thread());
  let_it_be_encoded();
  submitter.join();
  EXPECT_EQ(other.get(), 2) << "the second worker is idle";
  EXPECT_THROW(bad.get(), std::domain_error);
}

// One is busy, the other ends almost as soon as it has nothing to do: each task meets it somewhere between its start and
// its end.
TEST(ProcessPoolComeAndGo, NothingWaitsWhileWorkersComeAndGo) {
  for (int round = 0; round < 30; ++round) {
    const fifo gate;
    process_pool pool({.max_workers = 2, .idle_timeout = 1us});
    auto busy = pool.submit(pass, gate.path());
    for (int i = 0; i < 50; ++i) {
      ASSERT_EQ(pool.submit(add_one, i).get(), i + 1);
      if (i % 3 == 0)
        std::this_thread::sleep_for(std::chrono::microseconds(i * 7 % 400));  // NOLINT: another moment
    }
    gate.release();
    EXPECT_GT(busy.get(), 0);
  }
}

// The manager is kept awake until some moment: sometimes that at which the worker begins to serve, and nobody wakes it
// for that.
TEST(ProcessPoolComeAndGo, TimeLimitCountsFromTheMomentTheWorkerServes) {
  const fifo gate;
  process_pool pool({.max_workers = 1});
  for (int round = 0; round < 500; ++round) {  // each ends its worker
    auto limited = pool.submit({.timeout = 100us}, pass, gate.path());
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(round * 7 % 600);
    while (std::chrono::steady_clock::now() < end) pool.resize(1);
    ASSERT_THROW(limited.get(), tandem::timeout_error);
  }
}

}  // namespace
