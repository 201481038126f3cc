// The contract of priorities: what is urgent goes first, in order of submission within each priority, and nothing waits
// for ever.
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class Priority : public fixture<Backend> {
 protected:
  /// A task that keeps the pool's only worker until the gate opens.
  [[nodiscard]] future<int> hold(executor& pool, const test::shared_gate& gate,
                                 const std::string& arrivals) const {
    auto f = pool.submit(arrive_and_pass, this->path(arrivals), gate.path());
    this->counter(arrivals).wait_for(1);
    return f;
  }
  /// Tasks whose results say as the how many-th each ran.
  [[nodiscard]] future<int> numbered(executor& pool, priority which) const {
    return pool.submit({.priority = which}, count, this->path("order"));
  }
};
TYPED_TEST_SUITE(Priority, backends, backend_names);

std::vector<int> results(std::vector<future<int>>& fs) {
  std::vector<int> all;
  for (auto& f : fs) all.push_back(f.get());
  return all;
}

constexpr priority all_priorities[] = {priority::high, priority::normal, priority::low};

TYPED_TEST(Priority, IsAcceptedByEveryExecutor) {
  auto pool = TypeParam::make(1);
  for (const priority which : all_priorities) {
    EXPECT_EQ(pool->submit({.priority = which}, add_one, 1).get(), 2);
    pool->post({.priority = which}, count, this->path("posted"));
  }
  pool->shutdown();
  EXPECT_EQ(this->counter("posted").value(), 3);
}

TYPED_TEST(Priority, HighRunsBeforeNormalBeforeLowEachInOrder) {
  if constexpr (!TypeParam::concurrent) {
    // Nothing waits, so the order is that of submission.
    auto pool = TypeParam::make(1);
    std::vector<future<int>> fs;
    for (const priority which : {priority::low, priority::normal, priority::high}) {
      for (int i = 0; i < 4; ++i) fs.push_back(this->numbered(*pool, which));
    }
    EXPECT_EQ(pool->stats().queued, 0);
    EXPECT_EQ(results(fs), (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto held = this->hold(*pool, gate, "held");
  std::vector<future<int>> low;
  std::vector<future<int>> normal;
  std::vector<future<int>> high;
  for (int i = 0; i < 4; ++i) {
    low.push_back(this->numbered(*pool, priority::low));
    normal.push_back(this->numbered(*pool, priority::normal));
    high.push_back(this->numbered(*pool, priority::high));
  }
  EXPECT_EQ(pool->stats().queued, 12);
  gate.open();
  EXPECT_EQ(results(high), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(results(normal), (std::vector<int>{5, 6, 7, 8}));
  EXPECT_EQ(results(low), (std::vector<int>{9, 10, 11, 12}));
  EXPECT_EQ(held.get(), 1);
  const auto stats = pool->stats();
  EXPECT_EQ(stats.queued, 0);
  EXPECT_EQ(stats.finished, 13);
}

TYPED_TEST(Priority, OvertakesWhatAWorkerHasTakenButNotBegun) {
  if constexpr (!TypeParam::concurrent) {
    // What has been taken has been begun: also the task that submits a more urgent one goes on to its end.
    auto pool = TypeParam::make(1);
    auto outer = pool->submit({.priority = priority::low}, [&] {
      const int high = this->numbered(*pool, priority::high).get();
      return std::pair(high, this->numbered(*pool, priority::low).get());
    });
    EXPECT_EQ(outer.get(), std::pair(1, 2));
    return;
  }
  auto pool = TypeParam::make(1);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(pool->submit(add_one, i).get(), i + 1);  // it learns that tasks are short
  auto first = this->gate("first");
  auto second = this->gate("second");
  auto holding = this->hold(*pool, first, "held");
  auto next = pool->submit(arrive_and_pass, this->path("next"), second.path());
  std::vector<future<int>> low;
  std::vector<future<int>> normal;
  std::vector<future<int>> high;
  for (int i = 0; i < 10; ++i) normal.push_back(this->numbered(*pool, priority::normal));
  first.open();
  this->counter("next").wait_for(1);  // with it the worker has taken more
  low.push_back(this->numbered(*pool, priority::low));
  high.push_back(this->numbered(*pool, priority::high));
  high.push_back(this->numbered(*pool, priority::high));
  second.open();
  EXPECT_EQ(results(high), (std::vector<int>{1, 2}));
  EXPECT_EQ(results(normal), (std::vector<int>{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(results(low), (std::vector<int>{13}));
  EXPECT_EQ(holding.get() + next.get(), 2);
}

TYPED_TEST(Priority, NoneIsStarvedByAFlood) {
  if constexpr (!TypeParam::concurrent) {
    // Each runs when its turn to be submitted comes.
    auto pool = TypeParam::make(1);
    std::vector<future<int>> flood;
    for (int i = 0; i < 100; ++i) flood.push_back(this->numbered(*pool, priority::high));
    EXPECT_EQ(this->numbered(*pool, priority::low).get(), 101);
    EXPECT_EQ(this->numbered(*pool, priority::normal).get(), 102);
    EXPECT_EQ(results(flood).back(), 100);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto held = this->hold(*pool, gate, "held");
  auto low = this->numbered(*pool, priority::low);
  auto normal = this->numbered(*pool, priority::normal);
  std::vector<future<int>> flood;
  for (int i = 0; i < 300; ++i) flood.push_back(this->numbered(*pool, priority::high));
  gate.open();
  const int normal_at = normal.get();
  const int low_at = low.get();
  EXPECT_GT(normal_at, 1);
  EXPECT_LE(normal_at, 16) << "every 16th at the latest";
  EXPECT_GT(low_at, normal_at);
  EXPECT_LE(low_at, 64) << "every 64th at the latest";
  EXPECT_EQ(results(flood).back(), 302);
  EXPECT_EQ(held.get(), 1);
}

// As above, but the flood goes on while the low one waits, so that it is overtaken also where it has got a place.
TYPED_TEST(Priority, LowOneRunsWhileAFloodGoesOn) {
  if constexpr (!TypeParam::concurrent) {
    // The flood of another thread holds up nobody.
    auto pool = TypeParam::make(1);
    auto gate = this->gate();
    std::thread flood([&] {
      EXPECT_EQ(
          pool->submit({.priority = priority::high}, arrive_and_pass, this->path("held"), gate.path()).get(),
          1);
      for (int i = 0; i < 300; ++i) EXPECT_GT(this->numbered(*pool, priority::high).get(), 1);
    });
    this->counter("held").wait_for(1);
    EXPECT_EQ(this->numbered(*pool, priority::low).get(), 1);
    gate.open();
    flood.join();
    return;
  }
  auto pool = TypeParam::make(1);
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(pool->submit(add_one, i).get(), i + 1);  // it learns that tasks are short
  auto gate = this->gate();
  auto held = this->hold(*pool, gate, "held");
  std::vector<future<int>> flood;
  for (int i = 0; i < 200; ++i) flood.push_back(this->numbered(*pool, priority::high));
  auto low = this->numbered(*pool, priority::low);
  gate.open();
  // There are always more urgent ones in the queue.
  while (!low.is_ready()) {
    flood.push_back(this->numbered(*pool, priority::high));
    if (pool->stats().queued > 1000) std::this_thread::yield();
  }
  const int low_at = low.get();
  EXPECT_GT(low_at, 1);
  EXPECT_EQ(results(flood).size(), flood.size());
  EXPECT_EQ(held.get(), 1);
}

TYPED_TEST(Priority, ShutdownRunsAllThatWait) {
  auto pool = TypeParam::make(2);
  for (int i = 0; i < 30; ++i) pool->post({.priority = all_priorities[i % 3]}, count, this->path("ran"));
  pool->shutdown();
  EXPECT_EQ(this->counter("ran").value(), 30);
  for (const priority which : all_priorities)
    EXPECT_THROW((void)pool->submit({.priority = which}, add_one, 1), shutdown_error);
  auto unused = TypeParam::make(1);
  unused->shutdown();
  for (const priority which : all_priorities)
    EXPECT_THROW((void)unused->submit({.priority = which}, add_one, 1), shutdown_error);
}

TYPED_TEST(Priority, CancelPendingCancelsAllThatWait) {
  if constexpr (!TypeParam::concurrent) {
    // None waits; what runs in another thread finishes, whatever its priority.
    auto pool = TypeParam::make(1);
    auto gate = this->gate();
    std::vector<std::thread> callers;
    for (const priority which : all_priorities) {
      callers.emplace_back([&, which] {
        EXPECT_EQ(
            pool->submit({.priority = which}, arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1);
      });
    }
    this->counter("arrivals").wait_for(3);
    pool->shutdown({.wait = false, .cancel_pending = true});
    EXPECT_EQ(pool->stats().running, 3);
    gate.open();
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(pool->stats().finished, 3);
    EXPECT_EQ(pool->stats().cancelled, 0);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto held = this->hold(*pool, gate, "held");
  std::vector<future<int>> fs;
  for (int i = 0; i < 30; ++i) fs.push_back(this->numbered(*pool, all_priorities[i % 3]));
  pool->shutdown({.wait = false, .cancel_pending = true});
  for (auto& f : fs) EXPECT_THROW(f.get(), cancelled_error);
  gate.open();
  EXPECT_EQ(held.get(), 1);
  pool->shutdown();
  EXPECT_EQ(this->counter("order").value(), 0);
  EXPECT_EQ(pool->stats().cancelled, 30);
  EXPECT_EQ(pool->stats().queued, 0);
}

TYPED_TEST(Priority, IdleWorkersAreWokenForEveryPriority) {
  auto pool = TypeParam::make(3);
  for (int round = 0; round < 300; ++round) {
    for (const priority which : all_priorities)
      EXPECT_EQ(pool->submit({.priority = which}, add_one, round).get(), round + 1);
  }
}

}  // namespace
}  // namespace tandem::contract
