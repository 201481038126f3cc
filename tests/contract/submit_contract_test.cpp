// The contract of submit and post: what may be submitted, with which options, by whom.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class Submit : public fixture<Backend> {};
TYPED_TEST_SUITE(Submit, backends, backend_names);

// The message of the std::invalid_argument that it throws.
template <class Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TYPED_TEST(Submit, CopiesAndMovesItsArguments) {
  auto pool = TypeParam::make(1);
  std::string text = "ab";
  int times = 3;
  auto f = pool->submit(repeat, text, times);
  text = "changed";
  times = 0;
  EXPECT_EQ(f.get(), "ababab");
  EXPECT_EQ(pool->submit(repeat, std::move(text), 1).get(), "changed");
  if constexpr (TypeParam::in_process) {
    EXPECT_EQ(pool->submit(repeat, "literal", 2).get(), "literalliteral");  // a pointer, which is not sent
  }
}

TYPED_TEST(Submit, TakesMoveOnlyArgumentsAndResults) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit([](std::unique_ptr<int> p) { return std::make_unique<int>(*p + 1); },
                        std::make_unique<int>(4));
  EXPECT_EQ(*f.get(), 5);
}

TYPED_TEST(Submit, TakesMoveOnlyCallables) {
  if constexpr (!TypeParam::in_process) {
    // Does not compile: compile_fail/lambda_with_captures_to_process_pool. Through the base class the future tells.
    auto pool = TypeParam::make(1);
    executor& base = *pool;
    EXPECT_THROW(base.submit([p = std::make_unique<int>(4)] { return *p; }).get(), not_portable_error);
  } else {
    auto pool = TypeParam::make(1);
    EXPECT_EQ(pool->submit([p = std::make_unique<int>(4)] { return *p; }).get(), 4);
  }
}

TYPED_TEST(Submit, TakesReferencesInStdRef) {
  if constexpr (!TypeParam::in_process) {
    // Does not compile: compile_fail/reference_wrapper_to_process_pool. Through the base class the future tells.
    auto pool = TypeParam::make(1);
    executor& base = *pool;
    int x = 1;
    EXPECT_THROW(base.submit([](int& n) { return ++n; }, std::ref(x)).get(), not_portable_error);
    EXPECT_EQ(x, 1);
  } else {
    auto pool = TypeParam::make(1);
    int x = 1;
    auto f = pool->submit([](int& n) -> int& { return ++n; }, std::ref(x));
    EXPECT_EQ(&f.get(), &x);
    EXPECT_EQ(x, 2);
  }
}

TYPED_TEST(Submit, TakesLambdasAndByValueClosures) {
  auto pool = TypeParam::make(1);
  EXPECT_EQ(pool->submit([](int x) { return x * 2; }, 21).get(), 42);
  const int factor = 3;
  EXPECT_EQ(pool->submit(by_value([factor](int x) { return factor * x; }), 14).get(), 42);
}

TYPED_TEST(Submit, CallsMembers) {
  auto pool = TypeParam::make(1);
  EXPECT_EQ(pool->submit(&point::sum, point{3, 4}).get(), 7);
  EXPECT_EQ(pool->submit(&point::y, point{3, 4}).get(), 4);
}

TYPED_TEST(Submit, GivesAFutureOfVoid) {
  auto pool = TypeParam::make(1);
  future<void> f = pool->submit(nothing);
  f.get();
  EXPECT_THROW(f.get(), invalid_state_error);
}

TYPED_TEST(Submit, PostRunsAndReportsExceptions) {
  auto pool = TypeParam::make(1);
  testing::internal::CaptureStderr();
  pool->post(count, this->path("ran"));
  pool->post(throw_out_of_range);
  pool->post({.name = "named"}, count, this->path("ran"));
  pool->shutdown();
  const std::string report = testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("too far"), std::string::npos) << report;
  EXPECT_EQ(this->counter("ran").value(), 2);
}

TYPED_TEST(Submit, WorksThroughTheBaseClass) {
  auto pool = TypeParam::make(2);
  executor& any = *pool;
  EXPECT_EQ(any.submit(add_one, 1).get(), 2);
  EXPECT_EQ(any.submit({.name = "x"}, add_one, 1).get(), 2);
  EXPECT_EQ(any.map(square, std::vector<int>{1, 2, 3}), (std::vector<long long>{1, 4, 9}));
  EXPECT_EQ(any.starmap(add, std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}), (std::vector<int>{3, 7}));
  int sum = 0;
  for (const int x : any.imap(add_one, std::vector<int>{1, 2, 3})) sum += x;
  for (const int x : any.imap_unordered(add_one, std::vector<int>{1, 2, 3})) sum += x;
  EXPECT_EQ(sum, 18);
  EXPECT_GE(any.max_workers(), 1);
  any.shutdown();
  EXPECT_THROW(any.submit(add_one, 1), shutdown_error);
}

// The backend is known at run time only, so what cannot be sent is an error of the future.
TYPED_TEST(Submit, CapturesThroughTheBaseClassAreAnErrorWhereTheyCannotBeSent) {
  auto pool = TypeParam::make(1);
  executor& any = *pool;
  const std::string text = "captured";
  auto f = any.submit([text] { return text.size(); });
  auto sizes = [&] {
    return any.map([text](int x) { return text.size() + static_cast<std::size_t>(x); }, std::vector<int>{1});
  };
  if (TypeParam::in_process) {
    EXPECT_EQ(f.get(), 8U);
    EXPECT_EQ(sizes(), (std::vector<std::size_t>{9}));
  } else {
    EXPECT_THROW(f.get(), not_portable_error);
    EXPECT_THROW(sizes(), not_portable_error);
    EXPECT_EQ(any.submit(add_one, 1).get(), 2);
  }
}

TYPED_TEST(Submit, TaskKnowsItsAttemptAndWorker) {
  auto pool = TypeParam::make(2);
  EXPECT_EQ(this_task::attempt(), 0);
  EXPECT_EQ(pool->submit([] { return this_task::attempt(); }).get(), 1);
  EXPECT_EQ(this_task::worker_index(), -1);
  const int index = pool->submit([] { return this_task::worker_index(); }).get();
  if (TypeParam::concurrent) {
    EXPECT_GE(index, 0);
    EXPECT_LT(index, 2);
  } else {
    EXPECT_EQ(index, -1);
  }
  EXPECT_FALSE(this_task::stop_requested());
}

TYPED_TEST(Submit, NameIsToldWhileTheTaskRuns) {
  if constexpr (!TypeParam::concurrent) {
    // It has no workers of whom stats() could tell; the name is for whoever reads diagnostics.
    auto pool = TypeParam::make();
    const auto stats = pool->submit({.name = "page 7"}, [&] { return pool->stats(); }).get();
    EXPECT_EQ(stats.running, 1);
    EXPECT_TRUE(stats.per_worker.empty());
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto f = pool->submit({.name = "page 7"}, arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  const auto rows = pool->stats().per_worker;
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].task, "page 7");
  EXPECT_GT(rows[0].pid, 0);
  gate.open();
  f.get();
}

TYPED_TEST(Submit, RefusesOptionsThatItCannotHonour) {
  auto pool = TypeParam::make(1);
  std::stop_source stop;
  const auto try_options = [&](task_options options) {
    return refusal([&] { pool->submit(std::move(options), add_one, 1).get(); });
  };
  EXPECT_EQ(try_options({.name = "fine"}), "");
  EXPECT_NE(try_options({.retries = -1}).find("retries is -1"), std::string::npos);
  EXPECT_EQ(try_options({.priority = priority::high}), "");
  EXPECT_EQ(try_options({.stop_token = stop.get_token()}), "");
  EXPECT_EQ(try_options({.timeout = 60s}), "");
  EXPECT_NE(try_options({.timeout = -1s}).find("timeout"), std::string::npos);
  if (TypeParam::in_process) {
    EXPECT_NE(try_options({.retries = 1}).find("retries"), std::string::npos);
  } else {
    EXPECT_EQ(try_options({.retries = 1}), "");
  }
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2) << "the pool is as before";
}

TYPED_TEST(Submit, StopSourceCancelsAllTasksThatHaveItsToken) {
  if constexpr (!TypeParam::concurrent) {
    // None waits: those before the stop have run, those behind it never do.
    auto pool = TypeParam::make();
    std::stop_source stop;
    auto before = pool->submit({.stop_token = stop.get_token()}, count, this->path("ran"));
    stop.request_stop();
    auto behind = pool->submit({.stop_token = stop.get_token()}, count, this->path("ran"));
    EXPECT_EQ(before.get(), 1);
    EXPECT_TRUE(behind.cancelled());
    EXPECT_EQ(this->counter("ran").value(), 1);
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  std::stop_source stop;
  std::stop_source other;
  auto blocker = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  std::vector<future<int>> fs;
  for (int i = 0; i < 10; ++i) {
    fs.push_back(
        pool->submit({.stop_token = (i % 2 == 0 ? stop : other).get_token()}, count, this->path("ran")));
  }
  stop.request_stop();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].cancelled(), i % 2 == 0);
  gate.open();
  EXPECT_EQ(blocker.get(), 1);
  for (int i = 1; i < 10; i += 2) fs[static_cast<std::size_t>(i)].get();
  EXPECT_EQ(this->counter("ran").value(), 5);
}

TYPED_TEST(Submit, StopSourceAsksARunningTaskToStop) {
  if constexpr (!TypeParam::concurrent) {
    // From another thread, for this one runs it.
    auto pool = TypeParam::make();
    std::stop_source stop;
    std::thread stopper([&] {
      this->counter("arrivals").wait_for(1);
      stop.request_stop();
    });
    EXPECT_EQ(pool->submit({.stop_token = stop.get_token()}, run_until_stopped, this->path("arrivals")).get(),
              1);
    stopper.join();
    return;
  }
  auto pool = TypeParam::make(1);
  std::stop_source stop;
  auto f = pool->submit({.stop_token = stop.get_token()}, run_until_stopped, this->path("arrivals"));
  this->counter("arrivals").wait_for(1);
  stop.request_stop();
  EXPECT_EQ(f.get(), 1);
}

TYPED_TEST(Submit, StopThatWasRequestedBeforeCancelsAtOnce) {
  auto pool = TypeParam::make(1);
  std::stop_source stop;
  stop.request_stop();
  auto f = pool->submit({.stop_token = stop.get_token()}, count, this->path("ran"));
  EXPECT_THROW((void)f.get(), cancelled_error);
  pool->post({.stop_token = stop.get_token()}, count, this->path("ran"));
  pool->shutdown();
  EXPECT_EQ(this->counter("ran").value(), 0);
  std::stop_source late;
  EXPECT_THROW((void)pool->submit({.stop_token = late.get_token()}, add_one, 1), shutdown_error);
  late.request_stop();
}

TYPED_TEST(Submit, StopSourceMayOutliveItsTasksAndTheOtherWayRound) {
  auto pool = TypeParam::make(1);
  std::stop_source stop;
  for (int i = 0; i < 100; ++i) {
    (void)pool->submit({.stop_token = stop.get_token()}, add_one, i);
    (void)pool->submit({.stop_token = std::stop_source().get_token()}, add_one, i);
  }
  pool->submit(nothing).get();
  stop.request_stop();
}

TYPED_TEST(Submit, ManyThreadsMaySubmitAtOnce) {
  auto pool = TypeParam::make(2);
  constexpr int each = 1000;
  std::atomic<long> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<future<int>> fs;
      for (int i = 0; i < each; ++i) fs.push_back(pool->submit(add_one, i));
      for (auto& f : fs) sum += f.get();
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(sum, 4L * each * (each + 1) / 2);
}

}  // namespace
}  // namespace tandem::contract
