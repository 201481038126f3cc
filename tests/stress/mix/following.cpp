// The actions of the mix on futures that are there: waiting, continuing, combining, sharing.
#include "stress/mix/driver.hpp"

#include <tandem/as_completed.hpp>
#include <tandem/error.hpp>
#include <tandem/wait.hpp>
#include <tandem/when_all.hpp>
#include <tandem/when_any.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

namespace tandem::mix {

void driver::get() {
  for (kept& k : take(1)) check(k);
}

void driver::then_in_place() {
  for (kept& k : take(1)) keep_successor(k, k.future.then(add_one), k.may, k.at_end);
}

void driver::then_on_the_pool() {
  for (kept& k : take(1)) keep_successor(k, k.future.then(pool_, add_one), k.may, k.at_end | refused);
}

void driver::then_whatever_happens() {
  for (kept& k : take(1)) {
    auto f = k.future.then([x = next_](tandem::future<payload> done) {
      EXPECT_TRUE(done.is_ready());
      return payload(x);
    });
    keep({.future = std::move(f), .result = next_});
  }
}

void driver::then_a_future() {
  for (kept& k : take(1)) {
    auto f = k.future.then([&pool = pool_](payload p) { return pool.submit(add_one, p); });
    keep_successor(k, std::move(f), k.may | (facts_.rejects() ? full : 0U), k.at_end | refused);
  }
}

void driver::wait_for_some() {
  std::vector<kept> some = take(6);
  const auto when = static_cast<return_when>(roll(3));
  const auto limit = roll(2) == 0 ? time_limit() : time_limit(std::chrono::microseconds(roll(300)));
  const auto result = wait(some, when, limit, &kept::future);
  EXPECT_EQ(result.done.size() + result.not_done.size(), some.size());
  if (!limit.has_value()) {
    EXPECT_EQ(result.done.empty(), some.empty());
    EXPECT_TRUE(when != return_when::all_completed || result.not_done.empty());
  }
  for (const std::size_t i : result.done) EXPECT_TRUE(some[i].future.is_ready());
  put_back(std::move(some));
}

void driver::as_they_complete() {
  std::vector<kept> some = take(6);
  int left = roll(2) == 0 ? roll(6) : 6;  // sometimes left early
  for (kept& k : as_completed(some, &kept::future)) {
    EXPECT_TRUE(k.future.is_ready());
    check(k);
    if (left-- == 0) break;
  }
}  // those that were not looked at are dropped

void driver::all_of_some() {
  std::vector<kept> some = take(5);
  auto all = when_all(futures_of(some));
  watch(all);
  if (roll(4) == 0 && all.cancel()) return;
  auto futures = all.get();
  ASSERT_EQ(futures.size(), some.size());
  for (std::size_t i = 0; i < some.size(); ++i) {
    EXPECT_TRUE(futures[i].is_ready());
    some[i].future = std::move(futures[i]);
    check(some[i]);
  }
}

void driver::any_of_some() {
  std::vector<kept> some = take(5);
  auto any = when_any(futures_of(some));
  watch(any);
  if (roll(4) == 0 && any.cancel()) return;
  auto first = any.get();
  ASSERT_EQ(first.futures.size(), some.size());
  if (some.empty()) return;
  ASSERT_LT(first.index, some.size());
  EXPECT_TRUE(first.futures[first.index].is_ready());
  for (std::size_t i = 0; i < some.size(); ++i) some[i].future = std::move(first.futures[i]);
  put_back(std::move(some));
}

// For all threads to look at.
void driver::share() {
  shared_future<payload> f = pool_.submit(add_one, payload(next_)).share();
  watch(f);
  keep({.future = f.then(add_one), .result = next_ + 2});
  const std::lock_guard lock(facts_.mutex);
  facts_.shared.emplace_back(f, next_ + 1);
  if (facts_.shared.size() > 8) facts_.shared.erase(facts_.shared.begin());
}

void driver::get_shared() {
  std::optional<std::pair<shared_future<payload>, int>> one;
  {
    const std::lock_guard lock(facts_.mutex);
    if (facts_.shared.empty()) return;
    one = facts_.shared[static_cast<std::size_t>(roll(static_cast<int>(facts_.shared.size())))];
  }
  EXPECT_EQ(one->first.get().value, one->second);
}

// Set by whoever ends a task; broken by this thread.
void driver::promise() {
  tandem::promise<payload> p;
  auto f = p.get_future();
  if (roll(3) == 0) {
    p.set_value(payload(next_));
  } else if (roll(8) == 0) {
    keep({.future = std::move(f), .may = cancelled});  // dropped unset
    return;
  } else {
    pool_.submit(add_one, payload(next_)).on_done([p = std::move(p), x = next_]() mutable {
      try {
        p.set_value(payload(x));
      } catch (const invalid_state_error&) {}  // our future was cancelled
    });
  }
  keep({.future = std::move(f), .result = next_});
}

}  // namespace tandem::mix
