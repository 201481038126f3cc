// The contract of stopping a task that runs: by its stop token, which it asks for or gets as its first parameter.
#include <tandem/tandem.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/tasks.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class Stop : public fixture<Backend> {};
TYPED_TEST_SUITE(Stop, backends, backend_names);

// Sleeps until stop is requested: nobody notifies, so only the token's own callback can wake it.
int sleep_until_stopped(const std::stop_token& token) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, token, [] { return false; });
  return token.stop_requested() ? 1 : 0;
}

[[maybe_unused]] int sleep_by_own_token(std::string arrivals) {
  shared_counter(arrivals).add();
  return sleep_until_stopped(this_task::stop_token());
}
[[maybe_unused]] int sleep_by_parameter(std::stop_token token, std::string arrivals) {
  shared_counter(arrivals).add();
  return sleep_until_stopped(token);
}
// Asks for the token only when the test says so.
int ask_late(std::string arrivals, std::string gate) {
  shared_counter(arrivals).add();
  shared_counter(gate).wait_for(1);
  return this_task::stop_token().stop_requested() ? 1 : 0;
}
int call_back(std::string arrivals) {
  std::atomic<int> called{0};
  const std::stop_token token = this_task::stop_token();
  const std::stop_callback once(token, [&] { ++called; });
  shared_counter(arrivals).add();
  sleep_until_stopped(token);
  while (called == 0) sched_yield();  // the two callbacks have no order
  return called;
}
bool token_is_good_for_something(std::stop_token token) {
  return token.stop_possible() && token == this_task::stop_token();
}

TYPED_TEST(Stop, TokenOfARunningTaskIsRequestedByCancel) {
  if constexpr (TypeParam::concurrent) {
    auto pool = TypeParam::make(1);
    auto f = pool->submit(sleep_by_own_token, this->path("arrivals"));
    this->counter("arrivals").wait_for(1);
    EXPECT_FALSE(f.cancel());
    EXPECT_EQ(f.get(), 1);
    EXPECT_FALSE(pool->submit([] { return this_task::stop_token().stop_requested(); }).get())
        << "the next task has a token of its own";
  } else {
    auto pool = TypeParam::make(1);
    std::stop_source stop;
    EXPECT_TRUE(pool->submit({.stop_token = stop.get_token()},
                             [&stop] {
                               stop.request_stop();  // nobody else can while it runs
                               return this_task::stop_token().stop_requested() && this_task::stop_requested();
                             })
                    .get());
  }
}

TYPED_TEST(Stop, TokenIsPassedToAFunctionThatWantsIt) {
  auto pool = TypeParam::make(1);
  EXPECT_TRUE(pool->submit(token_is_good_for_something).get());
  EXPECT_EQ(pool->submit([](std::stop_token, int a, int b) { return a - b; }, 7, 2).get(), 5);
  executor& any = *pool;
  EXPECT_TRUE(any.submit(token_is_good_for_something).get());
  if constexpr (TypeParam::concurrent) {
    std::stop_source stop;
    auto f = pool->submit({.stop_token = stop.get_token()}, sleep_by_parameter, this->path("arrivals"));
    this->counter("arrivals").wait_for(1);
    stop.request_stop();
    EXPECT_EQ(f.get(), 1);
  }
}

TYPED_TEST(Stop, FunctionThatCanBeCalledWithoutTheTokenIs) {
  auto pool = TypeParam::make(1);
  EXPECT_EQ(pool->submit([](auto... parts) { return (0 + ... + parts); }, 1, 2, 3).get(), 6);
}

TYPED_TEST(Stop, TokenThatIsAskedForLateKnowsOfAnEarlierCancel) {
  if constexpr (TypeParam::concurrent) {
    auto pool = TypeParam::make(1);
    auto gate = this->gate();
    auto f = pool->submit(ask_late, this->path("arrivals"), gate.path());
    this->counter("arrivals").wait_for(1);
    EXPECT_FALSE(f.cancel());
    gate.open();
    EXPECT_EQ(f.get(), 1);
  } else {
    auto pool = TypeParam::make();
    auto gate = this->gate();
    std::stop_source stop;
    std::thread stopper([&] {
      this->counter("arrivals").wait_for(1);
      stop.request_stop();
      gate.open();
    });
    EXPECT_EQ(
        pool->submit({.stop_token = stop.get_token()}, ask_late, this->path("arrivals"), gate.path()).get(),
        1);
    stopper.join();
  }
}

TYPED_TEST(Stop, CallbackOfTheTokenIsCalledOnce) {
  if constexpr (TypeParam::concurrent) {
    auto pool = TypeParam::make(1);
    auto f = pool->submit(call_back, this->path("arrivals"));
    this->counter("arrivals").wait_for(1);
    EXPECT_FALSE(f.cancel());
    EXPECT_EQ(f.get(), 1);
  } else {
    auto pool = TypeParam::make();
    std::stop_source stop;
    std::thread stopper([&] {
      this->counter("arrivals").wait_for(1);
      stop.request_stop();
    });
    EXPECT_EQ(pool->submit({.stop_token = stop.get_token()}, call_back, this->path("arrivals")).get(), 1);
    stopper.join();
  }
}

TYPED_TEST(Stop, OutsideOfTasksThereIsNothingToStop) {
  auto pool = TypeParam::make(1);
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  EXPECT_FALSE(this_task::stop_token().stop_possible());
  EXPECT_FALSE(this_task::stop_requested());
}

TYPED_TEST(Stop, TokenMayOutliveItsTask) {
  if constexpr (TypeParam::in_process) {
    auto pool = TypeParam::make(1);
    std::stop_token kept;
    auto f = pool->submit([&kept](std::stop_token token) { kept = std::move(token); });
    f.get();
    EXPECT_FALSE(f.cancel());
    EXPECT_FALSE(kept.stop_requested()) << "the task was done before the cancel";
    f = {};
    EXPECT_FALSE(kept.stop_requested());
  } else {
    auto pool = TypeParam::make(1);
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(pool->submit([] {
                        static std::stop_token kept;  // of the task before, if this worker had one
                        const bool quiet = !kept.stop_requested();
                        kept = this_task::stop_token();
                        return quiet;
                      })
                      .get());
    }
  }
}

}  // namespace
}  // namespace tandem::contract
