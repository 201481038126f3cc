// The contract of submit_each() on a bounded queue: it waits, refuses or helps item by item, and gives the futures of all
// items or none.
#include <tandem/tandem.hpp>

#include <atomic>
#include <chrono>
#include <numeric>
#include <ranges>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/bound_fixture.hpp"
#include "contract/count_until_stopped.hpp"
#include "contract/inputs.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class SubmitEachBound : public Bound<Backend> {};
TYPED_TEST_SUITE(SubmitEachBound, backends, backend_names);

TYPED_TEST(SubmitEachBound, BlockReturnsWhenAllButThoseThatMayWaitHaveBegun) {
  constexpr int items = 8;
  constexpr int capacity = 2;
  auto pool = this->make(1, capacity, when_full::block);
  std::vector<std::string> gates;
  for (int i = 0; i < items; ++i) gates.push_back(this->path("gate" + std::to_string(i)));
  const auto open = [&](int i) { this->counter("gate" + std::to_string(i)).add(); };
  const auto is_open = [&](int i) { return this->counter("gate" + std::to_string(i)).value() == 1; };
  if constexpr (!TypeParam::concurrent) {
    // None waits: it returns when all have ended.
    for (int i = 0; i < items; ++i) open(i);
    auto fs = pool->submit_each(pass, gates);
    for (auto& f : fs) EXPECT_TRUE(f.is_ready());
    return;
  }
  // The last of those that it waits for begins when the one before it ends.
  constexpr int last = items - capacity - 1;
  std::vector<future<int>> fs;
  submitter submitting([&] {
    fs = pool->submit_each(pass, gates);
    EXPECT_TRUE(is_open(last - 1)) << "it has not waited";
  });
  for (int i = 0; i < last; ++i) {
    submitting.wait_until_asleep();
    open(i);
  }
  submitting.join();
  for (int i = last; i < items; ++i) open(i);
  ASSERT_EQ(fs.size(), static_cast<std::size_t>(items));
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

TYPED_TEST(SubmitEachBound, BlockThatWaitsForTooLongCancelsWhatWasSubmitted) {
  auto pool = this->make(1, 2, when_full::block);
  const std::vector<std::string> counters(3, this->path("ran"));
  if constexpr (!TypeParam::concurrent) {
    auto fs = pool->submit_each({.submit_timeout = 0s}, count, counters);
    EXPECT_EQ(fs[2].get(), 3) << "there is always room";
    return;
  }
  auto gate = this->gate();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  EXPECT_THROW((void)pool->submit_each({.submit_timeout = 1ms}, count, counters), queue_full_error);
  gate.open();
  EXPECT_EQ(running.get(), 1);
  pool->shutdown();
  EXPECT_EQ(this->counter("ran").value(), 0);
  EXPECT_EQ(pool->stats().cancelled, 2);
}

TYPED_TEST(SubmitEachBound, BlockThatIsEndedByShutdownCancelsWhatWasSubmitted) {
  auto pool = this->make(1, 2, when_full::block);
  const std::vector<std::string> counters(5, this->path("ran"));
  if constexpr (!TypeParam::concurrent) {
    // It never waits; what it has submitted has run when the executor is shut down in its midst.
    auto ended = counters | std::views::transform([&, i = 0](const std::string& counter) mutable {
                   if (++i == 3) pool->shutdown();
                   return counter;
                 });
    EXPECT_THROW((void)pool->submit_each(count, ended), shutdown_error);
    return;
  }
  auto gate = this->gate();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  submitter submitting([&] { EXPECT_THROW((void)pool->submit_each(count, counters), shutdown_error); });
  submitting.wait_until_asleep();
  pool->shutdown({.wait = false});
  submitting.join();
  gate.open();
  pool->shutdown();
  EXPECT_EQ(this->counter("ran").value(), 0) << "without .cancel_pending, but nobody has their futures";
}

TYPED_TEST(SubmitEachBound, RejectTakesAllItemsOrNone) {
  auto pool = this->make(1, 2, when_full::reject);
  const std::string ran = this->path("ran");
  if constexpr (!TypeParam::concurrent) {
    EXPECT_EQ(pool->submit_each(count, std::vector<std::string>(100, ran)).back().get(), 100);
    return;
  }
  auto gate = this->gate();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  EXPECT_THROW((void)pool->submit_each(count, std::vector<std::string>(3, ran)), queue_full_error);
  gate.open();
  EXPECT_EQ(running.get(), 1);
  pool->shutdown();
  EXPECT_EQ(this->counter("ran").value(), 0) << "there was room for two of the three";
  auto other = this->make(1, 2, when_full::reject);
  auto fs = other->submit_each(add_one, first_ints(3));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].get(), i + 1);
}

TYPED_TEST(SubmitEachBound, RejectAsksWhatRunsAlreadyToStop) {
  constexpr int capacity = 300;
  auto pool = this->make(1, capacity, when_full::reject);
  const std::string arrivals = this->path("arrivals");
  if constexpr (!TypeParam::concurrent) {
    // What has begun has ended when the next item is read.
    std::vector<std::string> counters(capacity + 2, arrivals);
    EXPECT_EQ(pool->submit_each(count, counters).back().get(), capacity + 2);
    return;
  }
  // They go in batches, so the first ones are there when the last one is read.
  const auto inputs = first_ints(capacity + 2) | std::views::transform([&](int i) {
                        if (i == capacity + 1) this->counter("arrivals").wait_for(1);
                        return arrivals;
                      });
  EXPECT_THROW((void)pool->submit_each(count_until_stopped, inputs), queue_full_error);
  pool->shutdown();
  EXPECT_EQ(this->counter("arrivals").value(), 2) << "the first one has begun and ended, and no other";
}

TYPED_TEST(SubmitEachBound, RunInCallerRunsThoseForWhichThereIsNoRoom) {
  auto pool = this->make(1, 2, when_full::run_in_caller);
  auto gate = this->gate();
  if (!TypeParam::concurrent) gate.open();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  auto fs = pool->submit_each(worker_id_of, first_ints(10));
  const int here = worker_id();
  const auto begin_of_these = static_cast<std::size_t>(TypeParam::concurrent ? 2 : 0);
  for (std::size_t i = 0; i < fs.size(); ++i) EXPECT_EQ(fs[i].is_ready(), i >= begin_of_these) << i;
  for (std::size_t i = begin_of_these; i < fs.size(); ++i) EXPECT_EQ(fs[i].get(), here) << i;
  gate.open();
  for (std::size_t i = 0; i < begin_of_these; ++i) EXPECT_NE(fs[i].get(), here) << i;
  auto failing = pool->submit_each(fail_at_three, std::vector<int>{1, 2, 3, 3, 3, 3, 3, 4});
  EXPECT_EQ(failing[0].get(), 10);
  for (std::size_t i = 2; i < 7; ++i) EXPECT_THROW((void)failing[i].get(), std::out_of_range) << i;
  EXPECT_EQ(failing[7].get(), 40) << "an item that throws in the caller stops no other";
}

}  // namespace
}  // namespace tandem::contract
