// The contract of as_completed().
#include <algorithm>
#include <chrono>
#include <forward_list>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/asleep.hpp"
#include "support/growth.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class AsCompleted : public fixture<Backend> {};
TYPED_TEST_SUITE(AsCompleted, backends, backend_names);

TYPED_TEST(AsCompleted, GivesEachFutureOfTheRangeItselfOnce) {
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  for (int i = 0; i < 100; ++i) fs.push_back(pool->submit(add_one, i));
  std::set<const void*> seen;
  int sum = 0;
  for (auto& f : as_completed(fs)) {
    EXPECT_TRUE(seen.insert(&f).second);
    EXPECT_GE(&f, &fs.front());
    EXPECT_LE(&f, &fs.back());
    sum += f.get();
  }
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(sum, 5050);
}

TYPED_TEST(AsCompleted, GivesFinishedOnesFirst) {
  if constexpr (!TypeParam::concurrent) {
    // All are: they come as they stand.
    auto pool = TypeParam::make();
    std::vector<future<int>> fs;
    for (int i = 0; i < 4; ++i) fs.push_back(pool->submit(add_one, i));
    std::vector<int> values;
    for (auto& f : as_completed(fs)) values.push_back(f.get());
    EXPECT_EQ(values, (std::vector<int>{1, 2, 3, 4}));
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  std::vector<future<int>> fs(4);
  fs[1] = pool->submit(add_one, 1);
  fs[3] = pool->submit(throw_out_of_range);
  fs[1].wait();
  fs[3].wait();
  fs[0] = pool->submit(pass, gate.path());
  fs[2] = pool->submit(pass, gate.path());
  EXPECT_TRUE(fs[2].cancel());
  std::vector<std::ptrdiff_t> order;
  for (auto& f : as_completed(fs)) {
    order.push_back(&f - fs.data());
    if (order.size() == 3) gate.open();
  }
  EXPECT_EQ(order, (std::vector<std::ptrdiff_t>{1, 2, 3, 0}));
}

TYPED_TEST(AsCompleted, GivesThemInTheOrderOfCompletion) {
  if constexpr (!TypeParam::concurrent) {
    // Behind those that were done when it began.
    auto pool = TypeParam::make();
    std::vector<promise<int>> pending(2);
    std::vector<future<int>> fs;
    fs.push_back(pending[0].get_future());
    fs.push_back(pending[1].get_future());
    fs.push_back(pool->submit(add_one, 1));
    std::vector<std::ptrdiff_t> order;
    for (auto& f : as_completed(fs)) {
      order.push_back(&f - fs.data());
      if (order.size() < 3) pending[2 - order.size()].set_value(1);
    }
    EXPECT_EQ(order, (std::vector<std::ptrdiff_t>{2, 1, 0}));
    return;
  }
  auto pool = TypeParam::make(3);
  std::vector<future<int>> fs;
  for (const char* name : {"a", "b", "c"})
    fs.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), this->path(name)));
  this->counter("arrivals").wait_for(3);
  std::vector<std::ptrdiff_t> order;
  this->counter("b").add();
  for (auto& f : as_completed(fs)) {
    order.push_back(&f - fs.data());
    if (order.size() == 1) this->counter("c").add();
    if (order.size() == 2) this->counter("a").add();
  }
  EXPECT_EQ(order, (std::vector<std::ptrdiff_t>{1, 2, 0}));
}

TYPED_TEST(AsCompleted, TimeoutGivesWhatIsDoneThenTimeoutErrorThatCounts) {
  if constexpr (!TypeParam::concurrent) {
    // Of its own futures all are done; another's are not.
    auto pool = TypeParam::make();
    promise<int> pending;
    std::vector<future<int>> fs;
    fs.push_back(pending.get_future());
    fs.push_back(pool->submit(add_one, 1));
    int given = 0;
    try {
      for ([[maybe_unused]] auto& f : as_completed(fs, 0ms)) ++given;
      FAIL() << "no timeout_error";
    } catch (const timeout_error& e) {
      EXPECT_NE(std::string(e.what()).find("1 of 2 futures unfinished"), std::string::npos) << e.what();
    }
    EXPECT_EQ(given, 1);
    pending.set_value(1);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(add_one, 1));
  fs.push_back(pool->submit(add_one, 2));
  fs.push_back(pool->submit(pass, gate.path()));
  fs.push_back(pool->submit(add_one, 3));
  fs[1].wait();
  std::vector<int> values;
  try {
    for (auto& f : as_completed(fs, 100ms)) values.push_back(f.get());
    FAIL() << "no timeout_error";
  } catch (const timeout_error& e) {
    EXPECT_NE(std::string(e.what()).find("2 of 4 futures unfinished"), std::string::npos) << e.what();
  }
  EXPECT_EQ(values, (std::vector<int>{2, 3}));
  EXPECT_FALSE(fs[3].is_ready());
  gate.open();
  EXPECT_EQ(fs[3].get(), 4) << "usable afterwards";
}

TYPED_TEST(AsCompleted, ZeroTimeoutStillGivesWhatIsDone) {
  auto pool = TypeParam::make(1);
  std::vector<future<int>> fs;
  for (int i = 0; i < 3; ++i) fs.push_back(pool->submit(add_one, i));
  for (auto& f : fs) f.wait();
  int given = 0;
  for ([[maybe_unused]] auto& f : as_completed(fs, 0s)) ++given;
  EXPECT_EQ(given, 3);
}

TYPED_TEST(AsCompleted, TakesAnyForwardRangeTimeoutAndProjection) {
  auto pool = TypeParam::make(1);
  struct job {
    std::string url;
    future<int> result;
  };
  std::forward_list<job> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_front({std::to_string(i), pool->submit(add_one, i)});
  for (job& j : as_completed(jobs, &job::result)) EXPECT_EQ(j.result.get(), std::stoi(j.url) + 1);
  for (job& j : jobs) j.result = pool->submit(add_one, std::stoi(j.url));
  int given = 0;
  for (job& j : as_completed(jobs, 60s, &job::result)) given += j.result.get() > 0 ? 1 : 0;
  EXPECT_EQ(given, 3);
}

TYPED_TEST(AsCompleted, KeepsARangeThatIsATemporary) {
  auto pool = TypeParam::make(1);
  const auto make = [&] {
    std::vector<future<int>> fs;
    for (int i = 0; i < 3; ++i) fs.push_back(pool->submit(add_one, i));
    return fs;
  };
  int sum = 0;
  for (auto& f : as_completed(make())) sum += f.get();
  EXPECT_EQ(sum, 6);
}

TYPED_TEST(AsCompleted, OneFutureTwiceIsGivenOnce) {
  auto pool = TypeParam::make(1);
  const shared_future<int> f = pool->submit(add_one, 1);
  const std::vector<shared_future<int>> fs{f, f, f};
  int given = 0;
  for (const auto& same : as_completed(fs)) given += same.get();
  EXPECT_EQ(given, 2);
}

TYPED_TEST(AsCompleted, OfNothingIsNothing) {
  const std::vector<future<int>> none;
  for ([[maybe_unused]] const auto& f : as_completed(none)) FAIL();
  for ([[maybe_unused]] const auto& f : as_completed(none, 0s)) FAIL();
}

TYPED_TEST(AsCompleted, FutureWithoutAStateIsAnError) {
  std::vector<future<int>> fs(2);
  EXPECT_THROW((void)as_completed(fs), invalid_state_error);
}

TYPED_TEST(AsCompleted, WakesWithOneThatAnotherThreadCancels) {
  for (const bool by_timer :
       {false, true}) {  // which has the one to be cancelled, rather than the pool's queue
    if (!by_timer && !TypeParam::concurrent) continue;  // it has no queue
    auto pool = TypeParam::make(1);
    auto gate = this->gate(by_timer ? "gate1" : "gate2");
    std::stop_source stop;
    promise<int> never;
    std::vector<future<int>> fs;
    fs.push_back(TypeParam::concurrent ? pool->submit(pass, gate.path()) : never.get_future());
    const task_options options{.stop_token = stop.get_token()};
    fs.push_back(by_timer ? pool->submit_after(options, 1h, add_one, 1) : pool->submit(options, add_one, 1));
    std::thread other([&, reader = test::this_thread()] {
      test::wait_until_asleep(reader);
      stop.request_stop();
    });
    for (auto& f : as_completed(fs)) {
      EXPECT_EQ(&f, &fs[1]);
      EXPECT_TRUE(f.cancelled());
      EXPECT_FALSE(fs[0].is_ready());
      break;
    }
    other.join();
  }
}

TYPED_TEST(AsCompleted, MayBeLeftEarly) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(add_one, 1));
  if (TypeParam::concurrent) fs.push_back(pool->submit(pass, gate.path()));
  for (auto& f : as_completed(fs)) {
    EXPECT_EQ(f.get(), 2);
    break;
  }
  gate.open();
  if (TypeParam::concurrent) {
    EXPECT_EQ(fs[1].get(), 1);
  }
}

TYPED_TEST(AsCompleted, FuturesMayBeOfDifferentExecutors) {
  auto pool = TypeParam::make(1);
  inline_executor here;
  thread_pool threads({.max_workers = 1});
  promise<int> by_hand;
  std::vector<future<int>> fs;
  fs.push_back(pool->submit(add_one, 1));
  fs.push_back(here.submit(add_one, 2));
  fs.push_back(threads.submit(add_one, 3));
  fs.push_back(by_hand.get_future());
  std::thread setter([&] { by_hand.set_value(5); });
  int sum = 0;
  for (auto& f : as_completed(fs)) sum += f.get();
  setter.join();
  EXPECT_EQ(sum, 14);
}

TYPED_TEST(AsCompleted, ManyFuturesTakeNoQuadraticTime) {
  auto pool = TypeParam::make(2);
  EXPECT_LT(test::growth_over_eight([&](int many) {
              std::vector<future<int>> fs;
              fs.reserve(static_cast<std::size_t>(many));
              for (int i = 0; i < many; ++i) fs.push_back(pool->submit(add_one, i));
              long long sum = 0;
              for (auto& f : as_completed(fs)) sum += f.get();
              EXPECT_EQ(sum, static_cast<long long>(many) * (many + 1) / 2);
            }),
            24);
}

}  // namespace
}  // namespace tandem::contract
