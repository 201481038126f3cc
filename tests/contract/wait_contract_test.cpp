// The contract of wait().
#include <chrono>
#include <list>
#include <map>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/growth.hpp"
#include "support/watchdog.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;
using positions = std::vector<std::size_t>;

template <class Backend>
class Wait : public fixture<Backend> {};
TYPED_TEST_SUITE(Wait, backends, backend_names);

TYPED_TEST(Wait, ForAllGivesAllAsDoneAlsoFailures) {
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(add_one, 1));
  fs.push_back(pool->submit(throw_out_of_range));
  fs.push_back(pool->submit(add_one, 2));
  const auto [done, not_done] = wait(fs);
  EXPECT_EQ(done, (positions{0, 1, 2}));
  EXPECT_TRUE(not_done.empty());
  EXPECT_EQ(fs[2].get(), 3) << "the values are still there";
}

TYPED_TEST(Wait, ForTheFirstReturnsAtOnceWithAllThatAreDone) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(add_one, 1));
  fs.push_back(pool->submit(add_one, 2));
  fs[0].wait();
  fs[1].wait();
  if (TypeParam::concurrent) fs.push_back(pool->submit(pass, gate.path()));
  const auto [done, not_done] = wait(fs, return_when::first_completed);
  EXPECT_EQ(done, (positions{0, 1}));
  EXPECT_EQ(not_done, TypeParam::concurrent ? positions{2} : positions{});
}

TYPED_TEST(Wait, ForTheFirstReturnsWhenOneIsDone) {
  if constexpr (!TypeParam::concurrent) {
    // All are.
    auto pool = TypeParam::make();
    std::vector<future<int>> fs;
    for (int i = 0; i < 2; ++i) fs.push_back(pool->submit(add_one, i));
    EXPECT_EQ(wait(fs, return_when::first_completed).done, (positions{0, 1}));
    return;
  }
  auto pool = TypeParam::make(2);
  auto slow = this->gate("slow");
  auto quick = this->gate("quick");
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), slow.path()));
  fs.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), quick.path()));
  this->counter("arrivals").wait_for(2);
  std::thread opener([&] { quick.open(); });
  const auto [done, not_done] = wait(fs, return_when::first_completed);
  opener.join();
  EXPECT_EQ(done, positions{1});
  EXPECT_EQ(not_done, positions{0});
}

TYPED_TEST(Wait, FirstExceptionReturnsBeforeSlowTask) {
  if constexpr (!TypeParam::concurrent) {
    // The slow one was waited for by submit().
    auto pool = TypeParam::make();
    std::vector<future<int>> fs;
    fs.push_back(pool->submit(add_one, 1));
    fs.push_back(pool->submit(throw_out_of_range));
    fs.push_back(pool->submit(add_one, 2));
    EXPECT_EQ(wait(fs, return_when::first_exception).done, (positions{0, 1, 2}));
    return;
  }
  auto pool = TypeParam::make(2);
  auto slow = this->gate("slow");
  auto quick = this->gate("quick");
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), slow.path()));
  this->counter("arrivals").wait_for(1);
  fs.push_back(pool->submit(add_one, 1));
  fs.push_back(pool->submit(pass_and_throw, quick.path()));
  std::thread opener([&] { quick.open(); });
  const auto [done, not_done] = wait(fs, return_when::first_exception);
  opener.join();
  EXPECT_EQ(done, (positions{1, 2}));
  EXPECT_EQ(not_done, positions{0});
}

TYPED_TEST(Wait, FirstExceptionReturnsAtOnceIfOneHasFailed) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(throw_out_of_range));
  fs[0].wait();
  if (TypeParam::concurrent) fs.push_back(pool->submit(pass, gate.path()));
  const auto [done, not_done] = wait(fs, return_when::first_exception);
  EXPECT_EQ(done, positions{0});
  EXPECT_EQ(not_done, TypeParam::concurrent ? positions{1} : positions{});
}

TYPED_TEST(Wait, FirstExceptionWaitsForAllIfNoneFails) {
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  for (int i = 0; i < 20; ++i) fs.push_back(pool->submit(add_one, i));
  EXPECT_EQ(wait(fs, return_when::first_exception).done.size(), 20U);
}

TYPED_TEST(Wait, CancelledOneIsDoneButHasNotFailed) {
  if constexpr (!TypeParam::concurrent) {
    // Only a stop that was requested before can cancel.
    auto pool = TypeParam::make();
    std::stop_source stop;
    stop.request_stop();
    std::vector<future<int>> fs;
    fs.push_back(pool->submit({.stop_token = stop.get_token()}, add_one, 1));
    EXPECT_TRUE(fs[0].cancelled());
    promise<int> pending;
    fs.push_back(pending.get_future());
    const auto [done, not_done] = wait(fs, return_when::first_exception, 20ms);
    EXPECT_EQ(done, positions{0});
    EXPECT_EQ(not_done, positions{1}) << "it was waited for until the time was over";
    pending.set_value(1);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()));
  fs.push_back(pool->submit(add_one, 1));
  this->counter("arrivals").wait_for(1);
  EXPECT_TRUE(fs[1].cancel());
  EXPECT_EQ(wait(fs, return_when::first_completed).done, positions{1});
  const auto [done, not_done] = wait(fs, return_when::first_exception, 20ms);
  EXPECT_EQ(done, positions{1});
  EXPECT_EQ(not_done, positions{0}) << "it was waited for until the time was over";
  gate.open();
  EXPECT_EQ(wait(fs).done, (positions{0, 1}));
}

TYPED_TEST(Wait, TimeoutTellsWhatIsDoneAndThrowsNothing) {
  if constexpr (!TypeParam::concurrent) {
    // Of its own futures all are done; of another's it tells.
    auto pool = TypeParam::make();
    promise<int> pending;
    std::vector<future<int>> fs;
    fs.push_back(pending.get_future());
    fs.push_back(pool->submit(add_one, 1));
    const auto [done, not_done] = wait(fs, return_when::all_completed, 0ms);
    EXPECT_EQ(done, positions{1});
    EXPECT_EQ(not_done, positions{0});
    pending.set_value(1);
    return;
  }
  auto pool = TypeParam::make(2);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()));
  this->counter("arrivals").wait_for(1);
  fs.push_back(pool->submit(add_one, 1));
  fs[1].wait();
  for (const auto timeout : {0ms, 20ms}) {
    const auto begin = std::chrono::steady_clock::now();
    const auto [done, not_done] = wait(fs, return_when::all_completed, timeout);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, timeout);
    EXPECT_EQ(done, positions{1});
    EXPECT_EQ(not_done, positions{0});
  }
  gate.open();
  EXPECT_EQ(wait(fs, return_when::all_completed, 60s).done.size(), 2U);
}

TYPED_TEST(Wait, OneFutureTwiceIsOneEntry) {
  auto pool = TypeParam::make(1);
  const shared_future<int> f = pool->submit(add_one, 1);
  const shared_future<int> g = pool->submit(add_one, 2);
  const std::vector<shared_future<int>> fs{f, g, f, g, f};
  EXPECT_EQ(wait(fs).done, (positions{0, 1}));
  EXPECT_EQ(wait(fs, return_when::first_completed).done, (positions{0, 1}));
}

TYPED_TEST(Wait, ForNothingReturnsAtOnce) {
  const std::vector<future<int>> none;
  for (const auto when :
       {return_when::first_completed, return_when::first_exception, return_when::all_completed}) {
    const auto [done, not_done] = wait(none, when);
    EXPECT_TRUE(done.empty());
    EXPECT_TRUE(not_done.empty());
  }
}

TYPED_TEST(Wait, TakesAnyForwardRangeAndAProjection) {
  auto pool = TypeParam::make(1);
  struct job {
    std::string name;
    future<int> result;
  };
  std::list<job> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back({"x", pool->submit(add_one, i)});
  EXPECT_EQ(wait(jobs, return_when::all_completed, {}, &job::result).done.size(), 3U);
  std::map<std::string, future<int>> named;
  named.emplace("a", pool->submit(add_one, 1));
  EXPECT_EQ(wait(
                named, return_when::all_completed, 60s, [](auto& entry) -> auto& { return entry.second; })
                .done,
            positions{0});
}

TYPED_TEST(Wait, FutureWithoutAStateIsAnError) {
  std::vector<future<int>> fs(2);
  EXPECT_THROW(wait(fs), invalid_state_error);
}

TYPED_TEST(Wait, FuturesMayBeOfDifferentExecutors) {
  auto pool = TypeParam::make(1);
  inline_executor here;
  thread_pool threads({.max_workers = 1});
  promise<int> by_hand;
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(add_one, 1));
  fs.push_back(here.submit(add_one, 2));
  fs.push_back(threads.submit(add_one, 3));
  fs.push_back(by_hand.get_future());
  EXPECT_FALSE(wait(fs, return_when::first_completed).done.empty());
  by_hand.set_value(5);
  EXPECT_EQ(wait(fs).done.size(), 4U);
}

TYPED_TEST(Wait, MissesNoneOfAHundredReleasedTogether) {
  const int rounds = TypeParam::in_process ? 4000 / test::slowness() : 50;
  auto pool = TypeParam::make(4);
  for (int round = 0; round < rounds; ++round) {
    promise<int> event;
    const shared_future<int> happened = event.get_future().share();
    std::vector<future<int>> fs;
    for (int i = 0; i < 100; ++i) fs.push_back(happened.then(*pool, add_one));
    std::thread releaser([&] { event.set_value(round); });
    EXPECT_EQ(wait(fs).done.size(), 100U);
    releaser.join();
    for (auto& f : fs) ASSERT_EQ(f.get(), round + 1);
  }
}

TYPED_TEST(Wait, ManyFuturesTakeNoQuadraticTime) {
  auto pool = TypeParam::make(2);
  EXPECT_LT(test::growth_over_eight([&](int many) {
              std::vector<future<int>> fs;
              fs.reserve(static_cast<std::size_t>(many));
              for (int i = 0; i < many; ++i) fs.push_back(pool->submit(add_one, i));
              EXPECT_EQ(wait(fs).done.size(), fs.size());
              EXPECT_EQ(wait(fs, return_when::first_exception).done.size(), fs.size());
            }),
            24);
}

}  // namespace
}  // namespace tandem::contract
