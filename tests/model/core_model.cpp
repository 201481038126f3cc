// The shared state of a task: who starts, cancels, completes, waits for and drops it, in every order.
#include "model/atomic.hpp"
#include "model/expect_right.hpp"
#include "model/explorer.hpp"

#include <tandem/detail/branch.hpp>
#include <tandem/detail/context.hpp>
#include <tandem/detail/core.hpp>

#include "future/task_owner.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stop_token>

// What the core needs of others: no worker, no task around it, no branch, no pool.
namespace tandem::detail {
thread_local constinit join* this_join = nullptr;
worker_context* current_worker() noexcept { return nullptr; }
const task_context* current_task() noexcept { return nullptr; }
std::shared_ptr<task_owner> find_task_owner(const void*) noexcept { return nullptr; }
}  // namespace tandem::detail

namespace tandem::model {
namespace {

using tandem::detail::callback;
using tandem::detail::core;
namespace word = tandem::detail::word;

// What became of one task; outlives it.
struct fate {
  int executed = 0;
  int payload_dropped = 0;
  int destroyed = 0;
  plain<int> result;   // written by whoever runs the task, read by whoever has waited
  plain<int> payload;  // written before the task is published, read when it runs, gone when it is dropped
};

class task final : public core {
 public:
  task(int refs, fate& becomes) : core(refs), fate_(becomes) { fate_.payload.write(1); }
  ~task() override {
    ++fate_.destroyed;
    fate_.result.write(-1);  // as the destructor of a value would
  }
  void execute() noexcept override {
    ++fate_.executed;
    (void)fate_.payload.read();
    drop_payload();
    fate_.result.write(42);
    complete_value();
  }
  void drop_payload() noexcept override {
    ++fate_.payload_dropped;
    fate_.payload.write(0);
  }

 private:
  fate& fate_;
};

class counting final : public callback {
 public:
  counting(kind what, fate& of) : callback(what), fate_(of) {}
  void fire(core&) noexcept override {
    ++fired;
    result_seen = fate_.result.read();
  }
  void drop() noexcept override { ++dropped; }
  int fired = 0;
  int dropped = 0;
  int result_seen = 0;

 private:
  fate& fate_;
};

// A worker, as it deals with a task from its queue; it has a reference.
void work(core* t) {
  if (t->try_start()) t->execute();
  t->release();
}

// A waiter that first tries to run it in place; he has a reference.
void claim_or_wait(core* t, fate& f) {
  if (t->try_start()) {
    t->execute();
  } else {
    (void)t->wait();
  }
  check(t->done(), "awaited and not done");
  if (word::phase(t->load()) == word::value) check(f.result.read() == 42, "the result is not there");
  t->release();
}

void exactly_once(const fate& f, bool cancelled) {
  check(f.executed == (cancelled ? 0 : 1), "run twice, or not at all, or though it was cancelled");
  check(f.payload_dropped == 1, "the payload is dropped once");
  check(f.destroyed == 1, "the task is destroyed once");
}

TEST(CoreModel, CancelAgainstStartAgainstInlineClaim) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(3, f);
        bool cancelled = false;
        spawn([&] { work(t); });
        spawn([&] {
          cancelled = t->cancel();
          t->release();
        });
        spawn([&] { claim_or_wait(t, f); });
        join_all();
        exactly_once(f, cancelled);
      },
      2, 30'000);
}

TEST(CoreModel, TwoCancelsAgainstAStart) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(3, f);
        std::array<bool, 2> cancelled{};
        spawn([&] { work(t); });
        for (bool& mine : cancelled) {
          spawn([&] {
            mine = t->cancel();
            t->release();
          });
        }
        join_all();
        check(cancelled[0] == cancelled[1], "cancelled for one of them only");
        exactly_once(f, cancelled[0]);
      },
      2, 30'000);
}

TEST(CoreModel, WaitersAgainstCompletion) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(3, f);
        spawn([&] { work(t); });
        for (int i = 0; i < 2; ++i) {
          spawn([&] {
            check(t->wait(), "awaited and not done");
            check(f.result.read() == 42, "the result is not there");
            t->release();
          });
        }
        join_all();
        exactly_once(f, false);
      },
      1, 100'000);
}

TEST(CoreModel, WaiterAgainstCompletion) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(2, f);
        spawn([&] { work(t); });
        spawn([&] { claim_or_wait(t, f); });
        join_all();
        exactly_once(f, false);
      },
      4, 30'000);
}

TEST(CoreModel, WaiterThatGivesUpAgainstCompletion) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(2, f);
        spawn([&] { work(t); });
        spawn([&] {
          if (t->wait(std::chrono::steady_clock::now() + std::chrono::hours(1)))
            check(f.result.read() == 42, "the result is not there");
          t->release();
        });
        join_all();
        exactly_once(f, false);
      },
      3, 30'000);
}

TEST(CoreModel, DropAgainstCompletion) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(3, f);
        spawn([&] { work(t); });
        for (int i = 0; i < 2; ++i) spawn([&] { t->release(); });
        join_all();
        exactly_once(f, false);
      },
      3, 30'000);
}

TEST(CoreModel, CallbacksAgainstCompletion) {
  for (const auto kind : {callback::kind::wake, callback::kind::call}) {
    expect_right(
        [kind] {
          fate f;
          auto* t = new task(3, f);
          std::array callbacks{counting(kind, f), counting(kind, f)};
          std::array<bool, 2> attached{};
          spawn([&] { work(t); });
          for (std::size_t i = 0; i < 2; ++i) {
            spawn([&, i] {
              attached[i] = t->try_attach(&callbacks[i]);
              if (!attached[i]) check(f.result.read() == 42, "refused, and the result is not there");
              t->release();
            });
          }
          join_all();
          for (std::size_t i = 0; i < 2; ++i) {
            check(callbacks[i].fired == (attached[i] ? 1 : 0), "attached and not fired once");
            check(!attached[i] || callbacks[i].result_seen == 42, "fired before the result was there");
          }
          exactly_once(f, false);
        },
        2, 30'000);
  }
}

TEST(CoreModel, DetachAgainstCompletion) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(3, f);
        std::array callbacks{counting(callback::kind::wake, f), counting(callback::kind::wake, f)};
        for (counting& c : callbacks) check(t->try_attach(&c), "attached before it begins");
        bool found = false;
        spawn([&] { work(t); });
        spawn([&] {
          found = t->detach([&](callback* c) { return c == &callbacks[0]; });
          t->release();
        });
        t->release();
        join_all();
        check(callbacks[0].fired + callbacks[0].dropped == 1, "fired and taken back, or neither");
        check(callbacks[0].dropped == (found ? 1 : 0), "taken back, and not said");
        check(callbacks[1].fired == 1 && callbacks[1].dropped == 0, "another one's callback");
        exactly_once(f, false);
      },
      2, 30'000);
}

TEST(CoreModel, ReturnToPendingAgainstCancel) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(2, f);
        bool cancelled = false;
        bool gave_up = false;
        spawn([&] {
          if (t->try_start()) {
            if (t->return_to_pending()) {
              if (t->try_start()) t->execute();
            } else {
              gave_up = true;
              t->drop_payload();
              t->complete_cancelled();
            }
          }
          t->release();
        });
        spawn([&] {
          cancelled = t->cancel();
          const std::uint32_t now = t->load();
          check(cancelled || word::done(now) || (now & word::stop_requested) != 0,
                "the request is forgotten");
          t->release();
        });
        join_all();
        check(f.payload_dropped == 1 && f.destroyed == 1, "dropped once");
        check(!(cancelled && f.executed != 0), "run though it was cancelled");
        check(f.executed == 1 || cancelled || gave_up, "neither run nor cancelled");
      },
      3, 30'000);
}

// The task runs; two threads that run branches of it ask for its token.
TEST(CoreModel, TokenForTwoAgainstCancel) {
  expect_right(
      [] {
        fate f;
        auto* t = new task(1, f);
        check(t->try_start(), "not to be started");
        std::array<std::stop_token, 2> tokens;
        for (std::stop_token& token : tokens) spawn([&] { token = t->stop_token(); });
        spawn([&] { check(!t->cancel(), "cancelled though it runs"); });
        join_all();
        for (const std::stop_token& token : tokens)
          check(token.stop_requested(), "a token has not heard of it");
        t->execute();
        t->release();
      },
      4, 30'000);
}

}  // namespace
}  // namespace tandem::model
