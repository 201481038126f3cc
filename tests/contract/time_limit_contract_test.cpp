// The contract of time limits: what becomes of a task that runs for too long, and of its future.
#include <tandem/tandem.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/count_until_stopped.hpp"
#include "contract/tasks.hpp"
#include "support/gate.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

template <class Backend>
class TimeLimit : public fixture<Backend> {};
TYPED_TEST_SUITE(TimeLimit, backends, backend_names);

TYPED_TEST(TimeLimit, OfATaskThatRunsTooLongIsATimeoutErrorThatNamesIt) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit({.name = "page 7", .timeout = 20ms}, count_until_stopped, this->path("arrivals"));
  try {
    f.get();
    ADD_FAILURE() << "no timeout_error";
  } catch (const timeout_error& e) {
    EXPECT_NE(std::string(e.what()).find("page 7"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("0.02 s"), std::string::npos) << e.what();
  }
  if (TypeParam::in_process) this->counter("arrivals").wait_for(2);  // it has been asked to stop
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2) << "the pool goes on";
}

TYPED_TEST(TimeLimit, OfAPostedTaskIsReported) {
  testing::internal::CaptureStderr();
  {
    auto pool = TypeParam::make(1);
    pool->post({.name = "page 7", .timeout = 20ms}, count_until_stopped, this->path("arrivals"));
    this->counter("arrivals").wait_for(1);
  }
  const std::string report = testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("a posted task, ignored: "), std::string::npos) << report;
  EXPECT_NE(report.find("page 7"), std::string::npos) << report;
  EXPECT_NE(report.find("0.02 s"), std::string::npos) << report;
  if constexpr (TypeParam::takes_hooks) {
    test::counter calls;
    std::mutex mutex;
    std::string told;
    typename TypeParam::pool pool(
        {.max_workers = 1, .error_handler = [&](std::exception_ptr e, std::string_view where) {
           {
             const std::lock_guard lock(mutex);
             try {
               std::rethrow_exception(std::move(e));
             } catch (const timeout_error& error) {
               told += std::string(where) + ": " + error.what();
             }
           }
           calls.add();
         }});
    pool.post({.name = "page 8", .timeout = 20ms}, count_until_stopped, this->path("more"));
    calls.wait_for(1);
    EXPECT_EQ(pool.submit(add_one, 1).get(), 2) << "the pool goes on";
    pool.shutdown();
    EXPECT_EQ(calls.value(), 1);
    EXPECT_EQ(told.find("a posted task: "), 0U) << told;
    EXPECT_NE(told.find("page 8"), std::string::npos) << told;
  }
}

TYPED_TEST(TimeLimit, DoesNotWaitForTheTask) {
  auto pool = TypeParam::make(1);
  if constexpr (TypeParam::concurrent) {
    auto gate = this->gate();
    auto f = pool->submit({.timeout = 1ms}, pass, gate.path());
    EXPECT_THROW(f.get(), timeout_error);
    EXPECT_FALSE(f.cancel());
    gate.open();
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  } else {
    // submit() itself waits for the end; the outcome is the same.
    EXPECT_THROW(pool->submit({.timeout = 1ms}, count_until_stopped, this->path("arrivals")).get(),
                 timeout_error);
    EXPECT_EQ(this->counter("arrivals").value(), 2);
  }
}

TYPED_TEST(TimeLimit, OfATaskThatIsInTimeChangesNothing) {
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  for (int i = 0; i < 200; ++i) fs.push_back(pool->submit({.timeout = 60s}, add_one, i));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].get(), i + 1);
  EXPECT_THROW(pool->submit({.timeout = 60s}, throw_out_of_range).get(), std::out_of_range);
}

TYPED_TEST(TimeLimit, MustBePositive) {
  auto pool = TypeParam::make(1);
  EXPECT_THROW((void)pool->submit({.timeout = 0s}, add_one, 1), std::invalid_argument);
  EXPECT_THROW((void)pool->submit({.timeout = -1s}, add_one, 1), std::invalid_argument);
}

TYPED_TEST(TimeLimit, WakesWhoeverWaits) {
  if constexpr (TypeParam::concurrent) {
    auto pool = TypeParam::make(2);
    auto gate = this->gate();
    std::vector<future<int>> fs;
    fs.push_back(pool->submit(pass, gate.path()));
    fs.push_back(pool->submit({.timeout = 1ms}, pass, gate.path()));
    EXPECT_EQ(wait(fs, return_when::first_completed).done, (std::vector<std::size_t>{1}));
    EXPECT_EQ(wait(fs, return_when::first_exception).done, (std::vector<std::size_t>{1}));
    auto skipped = std::move(fs[1]).then([](int) { return 0; });
    EXPECT_THROW(skipped.get(), timeout_error);
  } else {
    auto pool = TypeParam::make(1);
    EXPECT_TRUE(pool->submit({.timeout = 1ms}, count_until_stopped, this->path("arrivals")).is_ready());
  }
}

TYPED_TEST(TimeLimit, DestroysAResultThatCameTooLate) {
  if constexpr (TypeParam::in_process) {
    auto pool = TypeParam::make(1);
    const auto token = std::make_shared<int>(1);
    auto f = pool->submit({.timeout = 1ms}, [token] {
      while (!this_task::stop_requested()) sched_yield();
      return token;
    });
    EXPECT_THROW(f.get(), timeout_error);
    pool->shutdown();
    EXPECT_EQ(token.use_count(), 1) << "though the future is still there";
    EXPECT_THROW(std::rethrow_exception(f.exception()), timeout_error) << "the outcome stays";
  } else {
    auto pool = TypeParam::make(1);
    EXPECT_THROW(pool->submit({.timeout = 1ms}, count_until_stopped, this->path("arrivals")).get(),
                 timeout_error)
        << "its worker is killed; there is no result";
  }
}

TYPED_TEST(TimeLimit, CallbacksAreOverWhenThePoolIsGone) {
  for (const bool is_late_when_the_end_begins : {false, true}) {
    std::atomic<bool> called{false};
    std::atomic<bool> over{false};
    {
      auto pool = TypeParam::make(1);
      auto f = pool->submit({.timeout = 5ms}, count_until_stopped, this->path("arrivals"));
      f.on_done([&] {
        called = true;
        const auto end = clock::now() + 20ms;
        while (clock::now() < end) sched_yield();
        over = true;
      });
      while (is_late_when_the_end_begins && !called) sched_yield();
    }
    EXPECT_TRUE(over);
  }
}

TYPED_TEST(TimeLimit, MaySweepOverTasksThatAreJustEnding) {
  auto pool = TypeParam::make(2);
  int values = 0;
  int timeouts = 0;
  const int rounds = TypeParam::in_process ? 300 : 20;
  for (int i = 0; i < rounds; ++i) {
    auto f = pool->submit({.timeout = std::chrono::microseconds(TypeParam::in_process ? 40 : 2000)}, [] {
      const auto end = clock::now() + std::chrono::microseconds(40);
      while (clock::now() < end) {}
      return 1;
    });
    try {
      values += f.get();
    } catch (const timeout_error&) {
      ++timeouts;
    }
  }
  EXPECT_EQ(values + timeouts, rounds);
}

}  // namespace
}  // namespace tandem::contract
