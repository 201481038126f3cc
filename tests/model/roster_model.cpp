// The roster: no task is left lying while somebody could run it, whoever falls asleep, is woken, blocks, or ends just then.
#include "dispatch/roster.hpp"

#include "model/atomic.hpp"
#include "model/expect_right.hpp"
#include "model/explorer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

namespace tandem::model {
namespace {

using dispatch::roster;

// A pool in a nutshell: its queue is a number, its workers do what src/dispatch/README.md says.
class pool {
 public:
  struct traits {
    bool parents_block =
        false;  // a parent says that it blocks while it waits: another worker may be active instead
    bool sleep_ends = false;  // who sleeps may end before it is woken
  };

  explicit pool(int workers) : pool(workers, traits{}) {}
  pool(int workers, traits what) : traits_(what), roster_(most_threads, workers) {}

  void submit(int tasks = 1) {
    work_.fetch_add(tasks);
    call_if_unserved();  // also for many: who comes calls the next one
  }
  /// A task that, when it runs, publishes another and waits until somebody else has done that.
  void submit_parent() {
    parents_.fetch_add(1);
    submit();
  }

  void wait_for(int tasks) {
    while (done_.load() != tasks) pause();
  }

  /// Not to more, nor while tasks wait.
  void resize_and_wait(int workers) {
    roster_.set_most_active(workers);
    wake_surplus();
    wait_for_surplus_to_go();
  }
  void wait_for_surplus_to_go() {
    while (roster_.look().active() > roster_.most_active()) pause();
  }

  // When all that was submitted is done: closed before, it would wake who has missed something.
  void close_after(int tasks) {
    wait_for(tasks);
    roster_.close();
    while (wake_any()) {}
  }

 private:
  using reply = roster::call::outcome;
  static constexpr int most_threads = 8;

  void run_worker(int index) {
    bool searching = true;
    for (;;) {
      if (roster_.leave_if_surplus(searching)) {
        if (work_.load() > 0) call_if_unserved();
        return;
      }
      if (take()) {
        if (searching) {
          searching = false;
          roster_.end_search();
          if (work_.load() > 0) call_if_unserved();
        }
        run();
        continue;
      }
      if (!searching) {
        roster_.begin_search();
        searching = true;
        continue;
      }
      if (!roster_.lie_down(index)) {
        if (work_.load() > 0) continue;
        return roster_.retire();
      }
      searching = false;
      wake_surplus();
      if (work_.load() > 0) call_if_unserved();
      if (!roster_.sleep(index, traits_.sleep_ends ? std::chrono::steady_clock::now() : posix::no_deadline)) {
        (void)roster_.vacate(index);  // if not, whoever has come for us has taken us off the roster
        return;
      }
      searching = true;
    }
  }

  void run() {
    int left = parents_.load();
    if (left > 0 && parents_.compare_exchange_strong(left, left - 1)) {
      const int before = children_.load();
      children_wanted_.fetch_add(1);
      submit();
      if (traits_.parents_block) {
        roster_.leave();
        if (work_.load() > 0) call_if_unserved();
      }
      while (children_.load() == before) pause();
      if (traits_.parents_block) roster_.enter();
    } else if ((left = children_wanted_.load()) > 0 &&
               children_wanted_.compare_exchange_strong(left, left - 1)) {
      children_.fetch_add(1);
    }
    done_.fetch_add(1);
  }

  void wake_surplus() {
    for (int surplus = roster_.look().active() - roster_.most_active(); surplus > 0 && wake_any();
         --surplus) {}
  }

  bool wake_any() {
    const roster::call call = roster_.fill_any();
    if (call.what == reply::vacant) give_up_start();
    return call.what != reply::nobody;
  }

  void give_up_start() {
    roster_.undo_start();
    if (work_.load() > 0) call_if_unserved();
  }

  bool take() {
    int before = work_.load();
    while (before > 0) {
      if (work_.compare_exchange_weak(before, before - 1)) return true;
    }
    return false;
  }

  void call_if_unserved() {
    while (!roster_.is_served(roster_.look())) {
      roster::call call = roster_.wake_one();
      if (call.what == reply::asked) call = roster_.fill_one();
      if (call) return;
      if (call.what == reply::vacant) return start(call.index);
      if (!roster_.begin_start()) continue;
      return start(started_.fetch_add(1));
    }
  }

  void start(int index) {
    check(index < most_threads, "more threads than places");
    spawn([this, index] { run_worker(index); });
  }

  const traits traits_;
  roster roster_;
  atomic<int> work_{0};
  atomic<int> done_{0};
  atomic<int> started_{0};
  atomic<int> parents_{0};
  atomic<int> children_wanted_{0};
  atomic<int> children_{0};
};

std::function<void()> producers_and_workers(int producers, int each, int workers) {
  return [=] {
    const auto p = std::make_unique<pool>(workers);
    for (int i = 0; i < producers; ++i) {
      spawn([&p, each] {
        for (int n = 0; n < each; ++n) p->submit();
      });
    }
    spawn([&p, producers, each] { p->close_after(producers * each); });
    join_all();
  };
}

TEST(RosterModel, NoTaskIsLeftLying) {
  expect_right(producers_and_workers(1, 2, 1), 1, 30'000);
  expect_right(producers_and_workers(2, 1, 1), 1, 30'000);
  for (const int workers : {2, 3}) {
    const verdict v = explore(producers_and_workers(2, 2, workers), {.executions = 10'000});
    EXPECT_TRUE(v.ok) << v.message << "\n" << v.trace;
  }
}

TEST(RosterModel, ManyAtOnceWakeOneAnother) {
  expect_right(
      [] {
        const auto p = std::make_unique<pool>(2);
        spawn([&p] {
          p->submit();
          p->submit(2);
        });
        spawn([&p] { p->close_after(3); });
        join_all();
      },
      1, 20'000);
}

// The publisher is a worker that runs: it goes on waiting, and cannot take the work itself.
TEST(RosterModel, WhatARunningWorkerPublishesIsTaken) {
  expect_right(
      [] {
        const auto p = std::make_unique<pool>(2);
        spawn([&p] { p->submit_parent(); });
        spawn([&p] { p->close_after(2); });
        join_all();
      },
      1, 20'000);
}

// With room for one: its place is taken by another one while it blocks, and there is one too many when it comes back.
TEST(RosterModel, WhoBlocksIsStoodInFor) {
  expect_right(
      [] {
        const auto p = std::make_unique<pool>(1, pool::traits{.parents_block = true});
        spawn([&p] {
          p->submit_parent();
          p->wait_for(2);
          p->wait_for_surplus_to_go();
          p->close_after(2);
        });
        join_all();
      },
      2, 20'000);
}

// Called while it ends, or when its bed is empty already: somebody comes all the same.
TEST(RosterModel, WhoEndsInItsSleepIsReplaced) {
  const auto scene = [](int workers) {
    return [workers] {
      const auto p = std::make_unique<pool>(workers, pool::traits{.sleep_ends = true});
      for (int i = 0; i < 2; ++i) spawn([&p] { p->submit(); });
      spawn([&p] { p->close_after(2); });
      join_all();
    };
  };
  expect_right(scene(1), 1, 30'000);
  expect_right(scene(2), 1, 30'000);
}

// All of those who are too many may be about to lie down, and nobody who is awake be left. The smallest such pool has one worker, and
// no room for it.
TEST(RosterModel, WhoIsTooManyDoesNotFallAsleep) {
  const auto shrinks_by_one = [](int workers) {
    return [workers] {
      const auto p = std::make_unique<pool>(workers);
      spawn([&p, workers] {
        if (workers == 1) {
          p->submit();
        } else {
          p->submit_parent();
        }
        p->wait_for(workers);
        p->resize_and_wait(workers - 1);
        p->close_after(workers);
      });
      join_all();
    };
  };
  expect_right(shrinks_by_one(1), 2, 20'000);
  expect_right(shrinks_by_one(2), 2, 20'000);
}

}  // namespace
}  // namespace tandem::model
