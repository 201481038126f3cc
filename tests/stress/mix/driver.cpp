#include "stress/mix/driver.hpp"

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

namespace tandem::mix {

void driver::run(int steps) {
  for (int i = 0; i < steps; ++i) {
    may_give_up_ = false;
    try {
      one_of_the_actions();
    } catch (const shutdown_error&) {
      EXPECT_TRUE(facts_.racing);
    } catch (const cancelled_error&) {  // of a map
      EXPECT_TRUE(facts_.cancels_pending && facts_.over);
    } catch (const queue_full_error&) {
      EXPECT_TRUE(facts_.is_bounded());
      EXPECT_TRUE(facts_.rejects() || (may_give_up_ && !facts_.runs_in_caller()));
    }
  }
}

void driver::check_all() {
  for (kept& k : kept_) {
    EXPECT_TRUE(k.future.is_ready());
    check(k);
  }
  kept_.clear();
  for (kept& k : for_tomorrow_) {
    EXPECT_TRUE(k.future.is_ready());
    check(k);
  }
  for_tomorrow_.clear();
  for (repeated& r : repeated_) {
    EXPECT_TRUE(r.future.is_ready());
    check(r);
  }
  repeated_.clear();
  for (const auto& count : resolved_) EXPECT_EQ(count, 1);
}

void driver::keep_successor(kept& k, tandem::future<payload> f, unsigned may, unsigned at_end) {
  // What fails goes on failing with its own number; what succeeds is counted up.
  keep({.future = std::move(f),
        .result = k.result + ((k.may & fails) != 0 ? 0 : 1),
        .may = may,
        .at_end = at_end,
        .if_cancelled = k.if_cancelled});
}

void driver::check(kept& k) {
  unsigned was = 0;
  try {
    EXPECT_EQ(k.future.get().value, k.result);
    was = value;
  } catch (const std::out_of_range& error) {
    was = fails;
    EXPECT_EQ(error.what(), std::to_string(k.result));
  } catch (const cancelled_error&) {
    was = cancelled;
  } catch (const std::future_error&) {  // nobody has set its promise
    was = cancelled;
  } catch (const shutdown_error&) {
    was = refused;
  } catch (const queue_full_error&) {
    was = full;
  } catch (const timeout_error&) {
    was = late;
  } catch (const worker_died_error&) {
    was = dies;
  } catch (const boost::thread_interrupted&) {
    was = interrupted;
  } catch (const remote_error& error) {
    EXPECT_EQ(error.type_name(), "boost::thread_interrupted");
    was = interrupted;
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
    return;
  }
  unsigned may = k.may;
  if (facts_.over) may |= k.at_end | (facts_.cancels_pending ? cancelled : 0U);
  EXPECT_NE(was & may, 0U) << "it ended as " << was << ", but may only end as " << may;
  EXPECT_TRUE(k.future.is_ready());
}

void driver::check(repeated& r) {
  try {
    r.future.get();
    ADD_FAILURE() << "a repeated task has ended with a value";
  } catch (const cancelled_error&) {
    EXPECT_TRUE((r.may & cancelled) != 0 || facts_.over);
  } catch (const std::out_of_range& error) {
    EXPECT_NE(r.may & fails, 0U);
    EXPECT_EQ(error.what(), std::to_string(r.result));
  }
  EXPECT_FALSE(r.facts->overlapped);
}

std::vector<kept> driver::take(int most) {
  std::vector<kept> some;
  while (!kept_.empty() && most-- > 0) {
    std::swap(kept_[static_cast<std::size_t>(roll(static_cast<int>(kept_.size())))], kept_.back());
    some.push_back(std::move(kept_.back()));
    kept_.pop_back();
  }
  return some;
}

void driver::put_back(std::vector<kept> some) {
  for (kept& k : some) kept_.push_back(std::move(k));
}

std::vector<tandem::future<payload>> driver::futures_of(std::vector<kept>& some) {
  std::vector<tandem::future<payload>> futures;
  for (kept& k : some) futures.push_back(std::move(k.future));
  return futures;
}

void driver::stats() {
  const executor_stats s = pool_.stats();
  for (const auto count : {s.queued, s.running, s.finished, s.failed, s.cancelled}) EXPECT_GE(count, 0);
  EXPECT_LE(s.idle, s.workers);
  EXPECT_LE(s.failed, s.finished);
}

void driver::resize() {
  [this](auto& pool) {
    if constexpr (can_be_resized) pool.resize(1 + roll(2 * facts_.max_workers));
  }(pool_);
  EXPECT_GE(pool_.max_workers(), 1);
}

// Long enough for an idle_timeout to be over: nothing is waited for.
void driver::let_them_rest() {
  std::this_thread::sleep_for(std::chrono::microseconds(roll(2 * facts_.idle_microseconds + 50)));
}

// What a thread may do, and how often: a new kind of action is a function in one of the files, and a line here.
struct driver::action {
  int weight;
  void (driver::*what)();
};

constexpr driver::action driver::actions[] = {
    {1, &driver::stats},
    {2, &driver::resize},
    {1, &driver::let_them_rest},

    {16, &driver::submit},
    {6, &driver::submit_slow},
    {4, &driver::submit_failing},
    {2, &driver::submit_named},
    {8, &driver::submit_urgent_or_not},
    {3, &driver::submit_each},
    {4, &driver::submit_or_give_up},
    {1, &driver::submit_deadly},
    {1, &driver::submit_retried},
    {6, &driver::submit_nested},
    {4, &driver::post},
    {2, &driver::post_failing},
    {4, &driver::drop},
    {2, &driver::map},
    {2, &driver::imap},

    {8, &driver::cancel},
    {5, &driver::submit_stoppable},
    {4, &driver::submit_with_token},
    {6, &driver::submit_interruptible},
    {1, &driver::submit_handing_out_its_token},
    {3, &driver::request_stop},

    {3, &driver::submit_in_time},
    {3, &driver::submit_perhaps_late},
    {1, &driver::submit_too_late},
    {4, &driver::submit_after},
    {2, &driver::submit_at},
    {2, &driver::submit_for_tomorrow},
    {2, &driver::cancel_for_tomorrow},
    {2, &driver::submit_every},
    {2, &driver::cancel_repeated},

    {6, &driver::get},
    {6, &driver::then_in_place},
    {6, &driver::then_on_the_pool},
    {2, &driver::then_whatever_happens},
    {3, &driver::then_a_future},
    {4, &driver::wait_for_some},
    {4, &driver::as_they_complete},
    {3, &driver::all_of_some},
    {3, &driver::any_of_some},
    {4, &driver::share},
    {4, &driver::get_shared},
    {4, &driver::promise},
};

void driver::one_of_the_actions() {
  static constexpr int total = [] {
    int sum = 0;
    for (const action& a : actions) sum += a.weight;
    return sum;
  }();
  next_ += 1000;
  int at = roll(total);
  for (const action& a : actions) {
    at -= a.weight;
    if (at < 0) return (this->*a.what)();
  }
}

}  // namespace tandem::mix
