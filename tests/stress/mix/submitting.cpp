// The actions of the mix that give the pool something to do.
#include "stress/mix/driver.hpp"

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace tandem::mix {

task_options driver::any_priority() { return {.priority = static_cast<priority>(roll(3))}; }

void driver::submit() { keep({.future = pool_.submit(add_one, payload(next_)), .result = next_ + 1}); }

void driver::submit_slow() {
  keep({.future = pool_.submit(dawdle, payload(next_), roll(20'000)), .result = next_ + 1});
}

void driver::submit_failing() {
  keep({.future = pool_.submit(throw_it, payload(next_)), .result = next_, .may = fails});
}

void driver::submit_named() {
  keep({.future = pool_.submit({.name = "named"}, add_one, payload(next_)), .result = next_ + 1});
}

void driver::submit_urgent_or_not() {
  keep({.future = pool_.submit(any_priority(), dawdle, payload(next_), roll(2000)), .result = next_ + 1});
}

void driver::submit_each() {
  std::vector<payload> inputs;
  for (int i = roll(12); i > 0; --i) inputs.emplace_back(next_ + i);
  auto futures =
      roll(2) == 0 ? pool_.submit_each(add_one, inputs) : pool_.submit_each(any_priority(), add_one, inputs);
  ASSERT_EQ(futures.size(), inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    keep({.future = std::move(futures[i]), .result = inputs[i].value + 1});
}

void driver::submit_or_give_up() {
  may_give_up_ = true;
  keep({.future =
            pool_.submit({.submit_timeout = std::chrono::microseconds(roll(300))}, add_one, payload(next_)),
        .result = next_ + 1});
}

void driver::submit_deadly() {
  if (in_process) return;
  keep({.future = pool_.submit(die, payload(next_)),
        .result = next_,
        .may = facts_.runs_in_caller() ? dies | fails : dies});
}

void driver::submit_retried() {
  if constexpr (!in_process) {
    // What is asked to stop is not tried again.
    keep({.future = pool_.submit({.retries = 1}, die_at_first, payload(next_)),
          .result = next_ + 1,
          .at_end = facts_.cancels_pending ? dies : 0U,
          .if_cancelled = cancelled | dies});
  }
}

namespace {

// Tasks that submit and wait for what they have submitted.
payload nested(executor& pool, int x, int depth) {
  auto a = pool.submit(add_one, payload(x));
  if (depth == 0) return payload(a.get().value + 1);
  auto b = pool.submit([&pool, x, depth] { return nested(pool, x, depth - 1); });
  return payload(std::max(a.get().value + 1, b.get().value));
}

}  // namespace

void driver::submit_nested() {
  if (!in_process) return;  // there is no such pool in a worker
  executor& any = pool_;
  keep({.future = any.submit([&any, x = next_, depth = roll(4)] { return nested(any, x, depth); }),
        .result = next_ + 2,
        .may = facts_.rejects() ? value | full : value,
        .at_end = refused});
}

void driver::post() {
  if (roll(2) == 0) {
    pool_.post(add_one, payload(next_));
  } else {
    pool_.post(any_priority(), add_one, payload(next_));
  }
}

void driver::post_failing() {
  pool_.post(throw_it, payload(next_));
  ++facts_.failing_posts;
}

void driver::drop() {
  auto f = pool_.submit(add_one, payload(next_));
  watch(f);
}

void driver::map() {
  const std::vector<int> xs{next_, next_ + 1, next_ + 2, next_ + 3, next_ + 4};
  const std::vector<int> results = pool_.map(twice, xs);
  for (std::size_t i = 0; i < xs.size(); ++i) EXPECT_EQ(results[i], 2 * xs[i]);
}

void driver::imap() {
  const std::vector<int> xs{next_, next_ + 1, next_ + 2, next_ + 3, next_ + 4};
  std::size_t i = 0;
  const auto stop_at = static_cast<std::size_t>(roll(6));
  for (const int x : pool_.imap(twice, xs)) {
    EXPECT_EQ(x, 2 * xs[i]);
    if (++i == stop_at) break;
  }
}

}  // namespace tandem::mix
