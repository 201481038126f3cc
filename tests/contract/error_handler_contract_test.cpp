// The contract of errors that no future can receive.
#include <tandem/tandem.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/tasks.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class ErrorHandler : public fixture<Backend> {};
TYPED_TEST_SUITE(ErrorHandler, backends, backend_names);

// What an error handler was told, sorted.
class told_errors {
 public:
  [[nodiscard]] error_handler handler() {
    return [this](std::exception_ptr e, std::string_view where) {
      const std::lock_guard lock(mutex_);
      try {
        std::rethrow_exception(std::move(e));
      } catch (const std::exception& error) {
        told_.push_back(std::string(where) + ": " + error.what());
      }
    };
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> sorted = told_;
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

 private:
  mutable std::mutex mutex_;  // guards told_
  std::vector<std::string> told_;
};

template <class Future>
void throw_when_done(Future& f, const char* what) {
  f.on_done([what] { throw std::runtime_error(what); });
}

TYPED_TEST(ErrorHandler, GetsWhatACallbackThrows) {
  if constexpr (TypeParam::takes_hooks) {
    told_errors told;
    typename TypeParam::pool pool({.max_workers = 1, .error_handler = told.handler()});
    auto f = pool.submit(add_one, 1);
    int others = 0;
    f.on_done([] { throw std::runtime_error("first"); });
    f.on_done([&] { ++others; });
    pool.post(throw_out_of_range);
    pool.shutdown();
    EXPECT_EQ(others, 1);
    EXPECT_EQ(told.all(), (std::vector<std::string>{"a future's callback: first", "a posted task: too far"}));
  } else {
    // It has no options: stderr it is.
    auto pool = TypeParam::make(1);
    testing::internal::CaptureStderr();
    pool->submit(add_one, 1).on_done([] { throw std::runtime_error("first"); });
    EXPECT_NE(testing::internal::GetCapturedStderr().find("a future's callback, ignored: first"),
              std::string::npos);
  }
}

TYPED_TEST(ErrorHandler, ThatThrowsIsReportedOnStderr) {
  if constexpr (TypeParam::takes_hooks) {
    testing::internal::CaptureStderr();
    {
      typename TypeParam::pool pool(
          {.max_workers = 1, .error_handler = [](std::exception_ptr e, std::string_view) {
             std::rethrow_exception(std::move(e));
           }});
      pool.post(throw_out_of_range);
    }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("error handler, ignored: too far"),
              std::string::npos);
  } else {
    auto pool = TypeParam::make(1);
    testing::internal::CaptureStderr();
    pool->post(throw_out_of_range);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("a posted task, ignored: too far"),
              std::string::npos);
  }
}

TYPED_TEST(ErrorHandler, IsNotAskedWhenItsPoolIsGone) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit(add_one, 1);
  pool->shutdown();
  pool.reset();
  testing::internal::CaptureStderr();
  f.on_done([] { throw std::runtime_error("late"); });
  EXPECT_NE(testing::internal::GetCapturedStderr().find("ignored: late"), std::string::npos);
}

// The tasks have not come to the pool when their callbacks are called.
TYPED_TEST(ErrorHandler, GetsWhatCallbacksOfTasksThrowThatNeverCome) {
  const auto cancel_all = [](executor& pool) {
    auto delayed = pool.submit_after(1h, add_one, 1);
    throw_when_done(delayed, "delayed");
    delayed.cancel();
    auto repeated = pool.submit_every(1h, nothing);
    throw_when_done(repeated, "repeated");
    repeated.cancel();
    promise<int> p;
    auto continued = p.get_future().then(pool, add_one);
    throw_when_done(continued, "continued");
    continued.cancel();
    p.set_value(1);
    auto left = pool.submit_after(1h, add_one, 1);
    throw_when_done(left, "left");
    pool.shutdown();
  };
  if constexpr (TypeParam::takes_hooks) {
    told_errors told;
    typename TypeParam::pool pool({.max_workers = 1, .error_handler = told.handler()});
    cancel_all(pool);
    EXPECT_EQ(told.all(),
              (std::vector<std::string>{"a future's callback: continued", "a future's callback: delayed",
                                        "a future's callback: left", "a future's callback: repeated"}));
  } else {
    auto pool = TypeParam::make(1);
    testing::internal::CaptureStderr();
    cancel_all(*pool);
    const std::string text = testing::internal::GetCapturedStderr();
    for (const char* what : {"continued", "delayed", "left", "repeated"})
      EXPECT_NE(text.find(std::string("ignored: ") + what), std::string::npos) << text;
  }
}

TYPED_TEST(ErrorHandler, GetsWhatCannotBeSent) {
  const std::string text = "captured";
  const auto throw_it = [text] { throw std::runtime_error(text); };
  if constexpr (TypeParam::takes_hooks) {
    told_errors told;
    typename TypeParam::pool pool({.max_workers = 1, .error_handler = told.handler()});
    executor& base = pool;
    base.post(throw_it);
    pool.shutdown();
    ASSERT_EQ(told.all().size(), 1U);
    EXPECT_EQ(told.all()[0].find("a posted task: "), 0U);
    EXPECT_NE(told.all()[0].find(TypeParam::in_process ? "captured" : "cannot be sent"), std::string::npos)
        << told.all()[0];
  } else {
    auto pool = TypeParam::make(1);
    executor& base = *pool;
    testing::internal::CaptureStderr();
    base.post(throw_it);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("a posted task, ignored: captured"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace tandem::contract
