// The actions of the mix that ask tasks to stop, and the tasks that listen to it.
#include "stress/mix/driver.hpp"

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <memory>

namespace tandem::mix {

void driver::cancel() {
  for (kept& k : take(1)) {
    if (k.future.cancel()) {
      EXPECT_TRUE(k.future.cancelled());
      k.may = cancelled;
      k.at_end = 0;
    } else {
      k.may |= k.if_cancelled;  // it has been asked, unless it had ended
    }
    kept_.push_back(std::move(k));
  }
}

void driver::submit_stoppable() {
  keep({.future = pool_.submit({.stop_token = stop_.get_token()}, dawdle, payload(next_), roll(5000)),
        .result = next_ + 1,
        .may = value | cancelled});
}

void driver::submit_with_token() {
  if (roll(2) == 0) {
    keep({.future = pool_.submit(dawdle_by_token, payload(next_), roll(5000)), .result = next_ + 1});
  } else {
    keep({.future =
              pool_.submit({.stop_token = stop_.get_token()}, dawdle_by_token, payload(next_), roll(5000)),
          .result = next_ + 1,
          .may = value | cancelled});
  }
}

void driver::submit_interruptible() {
  if (roll(2) == 0) {
    keep({.future = pool_.submit(dawdle_interruptibly, payload(next_), roll(2000)), .result = next_ + 1});
  } else {
    keep({.future = pool_.submit({.stop_token = stop_.get_token()}, dawdle_interruptibly, payload(next_),
                                 roll(2000)),
          .result = next_ + 1,
          .may = value | cancelled | interrupted});
  }
}

// A token outlives its task, which is asked too late.
void driver::submit_handing_out_its_token() {
  if (!in_process) return;
  const auto token = std::make_shared<std::stop_token>();
  executor& any = pool_;
  auto f = any.submit([token, p = payload(next_)] {
    *token = this_task::stop_token();
    return p;
  });
  watch(f);
  f.wait();
  EXPECT_FALSE(f.cancel() && !facts_.cancels_pending);
  EXPECT_FALSE(token->stop_requested());
  EXPECT_EQ(f.get().value, next_);
}

void driver::request_stop() {
  stop_.request_stop();
  stop_ = std::stop_source();
}

}  // namespace tandem::mix
