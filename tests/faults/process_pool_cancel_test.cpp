// Cancelling at the awkward moments: while a task is being encoded, or comes back for another try.
#include "faults/gated.hpp"
#include "faults/tasks.hpp"

#include <tandem/process_pool.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using tandem::process_pool;
using tandem::test::encoding;
using tandem::test::gated;
using tandem::test::go_on;
using tandem::test::let_it_be_encoded;
using tandem::test::take_gated;

/// Submits a task and returns while the manager encodes it: there is no worker yet that the submitter could use.
tandem::future<int> submit_gated(process_pool& pool) {
  encoding = false;
  go_on = false;
  auto task = pool.submit(take_gated, gated{});
  encoding.wait(false);
  return task;
}

TEST(ProcessPool, CancelsATaskThatIsBeingEncoded) {
  process_pool pool({.max_workers = 1});
  auto task = submit_gated(pool);
  task.cancel();
  let_it_be_encoded();
  EXPECT_THROW(task.get(), tandem::cancelled_error);
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).get(), 2);
}

TEST(ProcessPool, CancelsWhatIsBeingEncodedWhenPendingTasksAreCancelled) {
  process_pool pool({.max_workers = 1});
  auto task = submit_gated(pool);
  pool.shutdown({.wait = false, .cancel_pending = true});
  let_it_be_encoded();
  EXPECT_THROW(task.get(), tandem::cancelled_error);
}

int be_slow() {
  usleep(20'000);
  return 1;
}

// A submitter that encodes a task has been promised a place at a worker. If the task is cancelled meanwhile, nobody but
// the submitter knows that the place stays free.
TEST(ProcessPool, PlaceThatIsNotTakenIsOfferedToWhoWaits) {
  process_pool pool({.max_workers = 1});
  EXPECT_EQ(pool.submit(be_slow).get(), 1);  // so nothing waits behind another task
  encoding = false;
  go_on = false;
  std::stop_source stop;
  tandem::future<int> first;
  std::thread submitter([&] { first = pool.submit({.stop_token = stop.get_token()}, take_gated, gated{}); });
  encoding.wait(false);
  auto second = pool.submit(tandem::test::add_one, 1);
  stop.request_stop();
  let_it_be_encoded();
  EXPECT_EQ(second.get(), 2);
  submitter.join();
  EXPECT_THROW(first.get(), tandem::cancelled_error);
}

TEST(ProcessPool, DoesNotKeepWhatIsCancelledWhileAllWorkersAreBusy) {
  process_pool pool({.max_workers = 1});
  const tandem::test::fifo gate;
  auto busy = pool.submit(tandem::test::pass, gate.path());
  while (pool.stats().running == 0) sched_yield();
  for (int i = 0; i < 20000; ++i) {
    auto task = pool.submit(tandem::test::add_one, i);
    EXPECT_TRUE(task.cancel());
  }
  const auto stats = pool.stats();
  EXPECT_LT(stats.queued, 2000);
  EXPECT_GT(stats.cancelled, 18000);
  gate.release();
  EXPECT_GT(busy.get(), 0);
}

TEST(ProcessPool, DoesNotCountCancelledTasksAgainstItsBound) {
  process_pool pool({.max_workers = 1, .queue_capacity = 3, .when_full = tandem::when_full::reject});
  const tandem::test::fifo gate;
  auto busy = pool.submit(tandem::test::pass, gate.path());
  while (pool.stats().running == 0) sched_yield();
  for (int round = 0; round < 50; ++round) {
    std::vector<tandem::future<int>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(pool.submit(tandem::test::add_one, i));
    EXPECT_THROW((void)pool.submit(tandem::test::add_one, 1), tandem::queue_full_error);
    for (auto& f : waiting) EXPECT_TRUE(f.cancel());
  }
  EXPECT_EQ(pool.submit(tandem::test::add_one, 1).cancel(), true);
  EXPECT_EQ(pool.stats().running, 1);
  gate.release();
  EXPECT_GT(busy.get(), 0);
  pool.shutdown();
  EXPECT_EQ(pool.stats().cancelled, 151);
}

TEST(ProcessPool, RefusesToWaitForItsEndInTheCallbackOfATaskThatTheEndCancels) {
  process_pool pool({.max_workers = 1});
  const tandem::test::fifo gate;
  auto busy = pool.submit(tandem::test::pass, gate.path());
  while (pool.stats().running == 0) sched_yield();
  std::vector<tandem::future<int>> waiting;
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    waiting.push_back(pool.submit(tandem::test::add_one, i));
    waiting.back().on_done([&] {
      EXPECT_THROW(pool.shutdown(), tandem::invalid_state_error);
      ++refused;
    });
  }
  pool.shutdown({.wait = false, .cancel_pending = true});
  EXPECT_EQ(refused, 200);
  gate.release();
  EXPECT_GT(busy.get(), 0);
}

int die_the_first_time(std::string started) {
  if (tandem::this_task::attempt() > 1) return tandem::this_task::attempt();
  tandem::test::pass(started);
  _exit(3);
}

TEST(ProcessPool, DoesNotTryAgainWhenPendingTasksAreCancelled) {
  process_pool pool({.max_workers = 1});
  const tandem::test::fifo gate;
  auto task = pool.submit({.retries = 5}, die_the_first_time, gate.path());
  while (pool.stats().running == 0) sched_yield();
  int workers = -1;
  task.on_done([&] { workers = pool.stats().workers; });
  pool.shutdown({.wait = false, .cancel_pending = true});
  gate.release();
  EXPECT_THROW(task.get(), tandem::cancelled_error);
  pool.shutdown();
  EXPECT_EQ(workers, 0) << "it was cancelled at once, not when another worker had been started for it";
}

}  // namespace
