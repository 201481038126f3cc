// The actions of the mix that have to do with time: limits, delays, repetition.
#include "stress/mix/driver.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

namespace tandem::mix {

using namespace std::chrono_literals;

void driver::submit_in_time() {
  keep({.future = pool_.submit({.timeout = 24h}, add_one, payload(next_)), .result = next_ + 1});
}

void driver::submit_perhaps_late() {
  keep({.future = pool_.submit({.timeout = std::chrono::microseconds(1 + roll(150))}, dawdle_interruptibly,
                               payload(next_), roll(4000)),
        .result = next_ + 1,
        .may = value | late});
}

void driver::submit_too_late() {
  keep({.future =
            pool_.submit({.timeout = std::chrono::microseconds(1 + roll(300))}, await_stop, payload(next_)),
        .result = next_ + 1,
        .may = late,
        .if_cancelled = cancelled | value});
}

void driver::submit_after() {
  const std::chrono::microseconds delay(roll(3) == 0 ? 0 : roll(1000));
  keep({.future = pool_.submit_after(delay, add_one, payload(next_)),
        .result = next_ + 1,
        .at_end = cancelled});
}

void driver::submit_at() {
  const auto when = std::chrono::steady_clock::now() + std::chrono::microseconds(roll(1000) - 200);
  keep({.future = pool_.submit_at(any_priority(), when, add_one, payload(next_)),
        .result = next_ + 1,
        .at_end = cancelled});
}

void driver::submit_for_tomorrow() {
  kept k{.future = pool_.submit_after(24h, add_one, payload(next_)), .may = 0, .at_end = cancelled};
  watch(k.future);
  for_tomorrow_.push_back(std::move(k));
}

void driver::cancel_for_tomorrow() {
  if (for_tomorrow_.empty()) return;
  kept k = std::move(for_tomorrow_.back());
  for_tomorrow_.pop_back();
  EXPECT_TRUE(k.future.cancel());
  EXPECT_TRUE(k.future.cancelled());
}

void driver::submit_every() {
  if (repeated_.size() >= 3) return cancel_repeated();
  const std::chrono::microseconds period(20 + roll(500));
  const auto facts = std::make_shared<repeated::run_facts>();
  repeated r;
  r.facts = facts;
  r.result = next_;
  if (roll(3) == 0) {
    r.future = pool_.submit_every(period, tick_and_fail, payload(next_));
    r.may |= fails;
  } else if (in_process) {
    executor& any = pool_;
    r.future = any.submit_every(any_priority(), period, [facts, p = payload(next_)] {
      boost_interruption_point();
      if (facts->inside.exchange(true)) facts->overlapped = true;
      facts->inside = false;
    });
  } else {
    r.future = pool_.submit_every(any_priority(), period, tick, payload(next_));
  }
  watch(r.future);
  repeated_.push_back(std::move(r));
}

void driver::cancel_repeated() {
  if (repeated_.empty()) return;
  repeated r = std::move(repeated_.back());
  repeated_.pop_back();
  const bool is_cancelled = r.future.cancel();
  EXPECT_TRUE(is_cancelled ? r.future.cancelled() : (r.may & fails) != 0);
  if (is_cancelled) r.may |= cancelled;
  check(r);
}

}  // namespace tandem::mix
