// map() and imap() on an executor that the test drives: which tasks they make, and what becomes of those when the
// executor refuses, cancels or never gets to them.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/manual_executor.hpp"

namespace {

using tandem::test::manual_executor;

TEST(MapRunners, OneOnItsOwnWorkerDoesAllAndTheOthersAreCancelled) {
  manual_executor pool(4);
  manual_executor::worker_scope worker(pool);
  std::vector<int> xs(100, 1);
  int calls = 0;
  pool.map([&](int) { ++calls; }, xs);
  EXPECT_EQ(calls, 100);
  EXPECT_EQ(worker.ran_in_place, 1);
  EXPECT_EQ(worker.blocked, 0);
  EXPECT_EQ(pool.queued(), 4U);
  pool.run_all();
  EXPECT_EQ(calls, 100) << "those in the queue are cancelled";
}

TEST(MapRunners, AreNoMoreThanItemsOrChunks) {
  manual_executor pool(8);
  manual_executor::worker_scope worker(pool);
  pool.map([](int) {}, std::vector<int>{1, 2, 3});
  EXPECT_EQ(pool.queued(), 3U);
  pool.run_all();
  pool.map(
      {.chunk_size = 2}, [](int) {}, std::vector<int>{1, 2, 3});
  EXPECT_EQ(pool.queued(), 2U);
  pool.run_all();
  pool.map([](int) {}, std::vector<int>{});
  EXPECT_EQ(pool.queued(), 0U);
}

// The n-th submit fails: whatever was started must be over, and nothing may run behind our back.
TEST(MapRunners, RefusalOfTheNthTaskIsThrownWhenTheOthersAreGone) {
  for (int accepted = 0; accepted < 4; ++accepted) {
    manual_executor pool(4);
    manual_executor::worker_scope worker(pool);
    int calls = 0;
    pool.accept_only(accepted);
    EXPECT_THROW(pool.map([&](int) { ++calls; }, std::vector<int>(100, 1)), tandem::shutdown_error);
    const int before = calls;
    pool.run_all();
    EXPECT_EQ(calls, before);
  }
}

TEST(MapRunners, AllCancelledIsACancelledError) {
  // Nobody runs the runners: they are cancelled, as shutdown({.cancel_pending = true}) would.
  class cancelling_executor final : public tandem::executor {
   public:
    [[nodiscard]] int max_workers() const noexcept override { return 2; }
    void shutdown(tandem::shutdown_options) override {}
    [[nodiscard]] tandem::executor_stats stats() const override { return {}; }
    void enqueue(tandem::detail::core_ptr<tandem::detail::core> task) override { task->cancel(); }
  } pool;
  EXPECT_THROW(pool.map([](int x) { return x; }, std::vector<int>{1, 2, 3}), tandem::cancelled_error);
}

TEST(ImapWindow, HoldsNoMoreThanItsInputsInFlight) {
  manual_executor pool(2);
  auto results = pool.imap(
      {.chunk_size = 2, .window = 5}, [](int x) { return x; }, std::vector<int>(100, 7));
  EXPECT_EQ(pool.queued(), 2U) << "2 + 2; there is no room for another two";
  pool.run_all();
  auto it = results.begin();
  EXPECT_EQ(*it, 7);
  EXPECT_EQ(pool.queued(), 0U) << "reading does not pass it";
  ++it;
  EXPECT_EQ(pool.queued(), 1U);
}

TEST(ImapWindow, RefusalInTheMiddleComesBehindWhatWasAccepted) {
  manual_executor pool(1);
  pool.accept_only(2);
  auto results = pool.imap(
      {.chunk_size = 1, .window = 10}, [](int x) { return x; }, std::vector<int>{1, 2, 3, 4});
  pool.run_all();
  auto it = results.begin();
  EXPECT_EQ(*it, 1);
  EXPECT_EQ(*++it, 2);
  ++it;
  EXPECT_THROW((void)*it, tandem::shutdown_error);
  ++it;
  EXPECT_EQ(it, results.end());
}

TEST(ImapWindow, DestructionFreesArgumentsAndCallableOfWhatNeverRuns) {
  manual_executor pool(1);
  auto token = std::make_shared<int>(1);
  const std::weak_ptr<int> alive = token;
  {
    auto results = pool.imap(
        {.chunk_size = 1, .window = 3}, [token](const std::shared_ptr<int>& p) { return *p; },
        std::vector<std::shared_ptr<int>>(3, token));
    token.reset();
    EXPECT_FALSE(alive.expired());
  }
  EXPECT_TRUE(alive.expired()) << "though the cancelled tasks are still in the queue";
  EXPECT_EQ(pool.queued(), 3U);
}

TEST(ImapOnAWorker, RunsItsChunksInPlaceInsteadOfBlocking) {
  manual_executor pool(1);
  manual_executor::worker_scope worker(pool);
  int sum = 0;
  for (const int x : pool.imap([](int y) { return 2 * y; }, std::vector<int>{1, 2, 3})) sum += x;
  for (const int x : pool.imap_unordered([](int y) { return 2 * y; }, std::vector<int>{1, 2, 3})) sum += x;
  EXPECT_EQ(sum, 24);
  EXPECT_EQ(worker.blocked, 0);
  pool.run_all();
}

}  // namespace
