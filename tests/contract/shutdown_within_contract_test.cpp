// The contract of an end that comes from within: shutdown() in the middle of another shutdown(), in what a pool calls
// while it cancels, in the hooks of its workers, in the callback of a task whose time is over.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/asleep.hpp"
#include "support/gate.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class ShutdownWithin : public fixture<Backend> {
 protected:
  /// A pool whose only worker is busy until the gate opens, and what waits behind.
  struct queue {
    std::unique_ptr<typename Backend::pool> pool;
    future<int> running;
    std::vector<future<int>> waiting;
  };
  [[nodiscard]] queue fill(const test::shared_gate& gate, int waiting) const {
    queue q;
    q.pool = Backend::make(1);
    q.running = q.pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
    this->counter("arrivals").wait_for(1);
    for (int i = 0; i < waiting; ++i) q.waiting.push_back(q.pool->submit(add_one, i));
    return q;
  }
};
TYPED_TEST_SUITE(ShutdownWithin, backends, backend_names);

// Runs until it is asked to stop, and sleeps meanwhile.
int sleep_until_stopped(std::stop_token token, std::string arrivals) {
  test::shared_counter(arrivals).add();
  std::atomic<bool> stopped{false};
  const std::stop_callback wake(token, [&] {
    stopped = true;
    stopped.notify_one();
  });
  stopped.wait(false);
  return 1;
}

// One thread cancels what waits, and is held up in a callback; another one waits for the end.
TYPED_TEST(ShutdownWithin, ThatWaitsAlsoWaitsForWhatAnotherThreadIsCancelling) {
  if constexpr (!TypeParam::concurrent) {
    // Nothing is ever cancelled by it; what is to be waited for are the tasks of other threads.
    auto pool = TypeParam::make();
    auto gate = this->gate();
    std::thread other(
        [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    this->counter("arrivals").wait_for(1);
    pool->shutdown({.wait = false, .cancel_pending = true});
    std::thread opener([&, id = test::this_thread()] {
      test::wait_until_asleep(id);
      gate.open();
    });
    pool->shutdown();
    EXPECT_EQ(pool->stats().finished, 1);
    opener.join();
    other.join();
    return;
  } else {
    auto gate = this->gate();
    auto q = this->fill(gate, 40);
    test::counter held_up;
    test::gate go_on;
    q.waiting[0].on_done([&] {
      held_up.add();
      go_on.wait();
    });
    std::thread canceller([&] { q.pool->shutdown({.wait = false, .cancel_pending = true}); });
    held_up.wait_for(1);
    gate.open();
    EXPECT_EQ(q.running.get(), 1);
    std::atomic<int> id{0};
    std::atomic<bool> ended{false};
    std::thread waiter([&] {
      id = test::this_thread();
      q.pool->shutdown();
      for (auto& f : q.waiting) EXPECT_TRUE(f.is_ready()) << "it was accepted, and is still pending";
      EXPECT_EQ(q.pool->stats().cancelled, 40);
      ended = true;
    });
    while (!ended && (id == 0 || !test::is_asleep(id))) sched_yield();
    go_on.open();
    canceller.join();
    waiter.join();
    for (auto& f : q.waiting) EXPECT_TRUE(f.cancelled());
  }
}

TYPED_TEST(ShutdownWithin, ACallbackOfWhatItCancelsIsRefusedIfItWaits) {
  if constexpr (!TypeParam::concurrent) {
    // It cancels what is delayed, and nothing else. The callback is called by shutdown(), which is in no task.
    auto pool = TypeParam::make();
    auto late = pool->submit_after(1h, add_one, 1);
    int called = 0;
    late.on_done([&] {
      pool->shutdown();
      ++called;
    });
    pool->shutdown();
    EXPECT_EQ(called, 1);
    EXPECT_TRUE(late.cancelled());
  } else {
    auto gate = this->gate();
    auto q = this->fill(gate, 3);
    int refused = 0;
    q.waiting[0].on_done([&] {
      EXPECT_THROW(q.pool->shutdown(), invalid_state_error);
      q.pool->shutdown({.wait = false});
      ++refused;
    });
    q.pool->shutdown({.wait = false, .cancel_pending = true});
    EXPECT_EQ(refused, 1);
    for (auto& f : q.waiting) EXPECT_TRUE(f.cancelled());
    gate.open();
    q.pool->shutdown();
    EXPECT_EQ(q.running.get(), 1);
  }
}

TYPED_TEST(ShutdownWithin, ACallbackOfADelayedTaskThatItCancelsIsRefusedIfItWaits) {
  auto pool = TypeParam::make(1);
  auto late = pool->submit_after(1h, add_one, 1);
  auto later = pool->submit_every(2h, nothing);
  int called = 0;
  late.on_done([&] {
    if constexpr (TypeParam::concurrent) {
      EXPECT_THROW(pool->shutdown(), invalid_state_error);
    } else {
      pool->shutdown();  // it is in no task
    }
    pool->shutdown({.wait = false});
    ++called;
  });
  pool->shutdown();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(late.cancelled());
  EXPECT_TRUE(later.cancelled());
}

TYPED_TEST(ShutdownWithin, ACallbackOfADelayedTaskMayLetGoOfThePool) {
  if constexpr (!TypeParam::concurrent) {
    // It is nothing but the object whose member function is running.
    auto pool = TypeParam::make();
    auto late = pool->submit_after(1h, add_one, 1);
    pool.reset();
    EXPECT_TRUE(late.cancelled());
  } else {
    auto pool = TypeParam::make(1);
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
    auto late = pool->submit_after(1h, add_one, 1);
    auto later = pool->submit_after(2h, add_one, 1);
    late.on_done([&] { pool.reset(); });
    testing::internal::CaptureStderr();  // a thread_pool says that this is a mistake
    pool->shutdown({.wait = false});
    (void)testing::internal::GetCapturedStderr();
    EXPECT_EQ(pool, nullptr);
    EXPECT_TRUE(later.cancelled());
  }
}

// A callback may be put off until the thread's outermost one ends, or waits: a shutdown that waits in it does.
TYPED_TEST(ShutdownWithin, AnUnrelatedCallbackWaitsForAll) {
  auto pool = TypeParam::make(1);
  promise<void> p;
  auto trigger = p.get_future();
  std::vector<future<int>> fs;
  for (int i = 0; i < 20; ++i) fs.push_back(pool->submit(add_one, i));
  int called = 0;
  trigger.on_done([&] {
    pool->shutdown();
    for (auto& f : fs) EXPECT_TRUE(f.is_ready());
    ++called;
  });
  p.set_value();
  EXPECT_EQ(called, 1);
  pool.reset();
  for (std::size_t i = 0; i < fs.size(); ++i) EXPECT_EQ(fs[i].get(), static_cast<int>(i) + 1);
}

// The task is asked to stop before its future's callbacks are called, or at the latest when one of them waits for it.
TYPED_TEST(ShutdownWithin, ACallbackOfATaskWhoseTimeIsOverEndsThePool) {
  auto pool = TypeParam::make(1);
  test::counter called;
  const auto end = [&] {
    bool refused = false;
    try {
      pool->shutdown();
    } catch (const invalid_state_error&) {
      refused = true;
      pool->shutdown({.wait = false});
    }
    // Its manager calls the callbacks of a process pool, and has killed the worker.
    EXPECT_EQ(refused, !TypeParam::in_process);
    called.add();
  };
  if constexpr (TypeParam::concurrent) {
    auto late = pool->submit({.timeout = 10ms}, sleep_until_stopped, this->path("arrivals"));
    late.on_done(end);
    called.wait_for(1);
    EXPECT_THROW(late.get(), timeout_error);
  } else {
    // The future comes when the task returns, which it does because it is asked to stop.
    auto late = pool->submit({.timeout = 10ms}, sleep_until_stopped, this->path("arrivals"));
    late.on_done(end);
    EXPECT_THROW(late.get(), timeout_error);
  }
  EXPECT_THROW((void)pool->submit(add_one, 1), shutdown_error);
}

TYPED_TEST(ShutdownWithin, WithoutWaitDoesNotWaitForADelayedTaskThatRuns) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto running = pool->submit_after(20ms, arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  auto later = pool->submit_after(1h, add_one, 1);
  for (const bool cancel : {false, true}) pool->shutdown({.wait = false, .cancel_pending = cancel});
  EXPECT_FALSE(running.is_ready());
  EXPECT_TRUE(later.cancelled());
  gate.open();
  pool.reset();
  EXPECT_EQ(running.get(), 1);
}

TYPED_TEST(ShutdownWithin, TheHooksOfAWorkerIsRefusedIfItWaits) {
  if constexpr (!TypeParam::takes_hooks) {
    // There are none: a task is what comes nearest.
    auto pool = TypeParam::make();
    pool->submit([&] { EXPECT_THROW(pool->shutdown(), invalid_state_error); }).get();
  } else if constexpr (!TypeParam::in_process) {
    // They run in another process, which knows of the pool only what can be sent. It is not told that it ends.
    typename TypeParam::pool pool({.max_workers = 1,
                                   .initializer = portable_hook(hook(this->path("begun"))),
                                   .finalizer = portable_hook(hook(this->path("ended")))});
    EXPECT_EQ(pool.submit(add_one, 1).get(), 2);
    pool.shutdown();
    EXPECT_EQ(this->counter("begun").value(), 1);
    EXPECT_EQ(this->counter("ended").value(), 1);
  } else {
    for (const bool ends_in_initializer : {false, true}) {
      std::unique_ptr<typename TypeParam::pool> pool;
      test::gate made;
      std::atomic<int> refused{0};
      const auto end = [&](bool now) {
        made.wait();
        EXPECT_THROW(pool->shutdown(), invalid_state_error);
        EXPECT_THROW(pool->shutdown({.cancel_pending = true}), invalid_state_error);
        ++refused;
        if (now) pool->shutdown({.wait = false});
      };
      pool = std::make_unique<typename TypeParam::pool>(
          typename TypeParam::options{.max_workers = 1,
                                      .initializer = [&] { end(ends_in_initializer); },
                                      .finalizer = [&] { end(true); }});
      auto one = pool->submit(add_one, 1);
      auto two = pool->submit(add_one, 2);
      made.open();
      EXPECT_EQ(one.get() + two.get(), 5) << "accepted before the end";
      pool->shutdown();
      EXPECT_EQ(refused, 2);
    }
  }
}

TYPED_TEST(ShutdownWithin, ADestructorByATaskOfAnotherPoolIsAnOrdinaryEnd) {
  thread_pool other({.max_workers = 1});
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  for (int i = 0; i < 100; ++i) fs.push_back(pool->submit(add_one, i));
  other
      .submit([&] {
        std::unique_ptr<executor> last = std::move(pool);
        last.reset();
        for (auto& f : fs) EXPECT_TRUE(f.is_ready());
      })
      .get();
  for (std::size_t i = 0; i < fs.size(); ++i) EXPECT_EQ(fs[i].get(), static_cast<int>(i) + 1);
}

TYPED_TEST(ShutdownWithin, AfterOneWithoutWaitMayStillCancelWhatWaits) {
  if constexpr (!TypeParam::concurrent) {
    auto pool = TypeParam::make();
    auto late = pool->submit_after(1h, add_one, 1);
    pool->shutdown({.wait = false});
    EXPECT_TRUE(late.cancelled()) << "delayed tasks are cancelled by any of them";
    pool->shutdown({.wait = false, .cancel_pending = true});
  } else {
    auto gate = this->gate();
    auto q = this->fill(gate, 50);
    q.pool->shutdown({.wait = false});
    for (auto& f : q.waiting) EXPECT_FALSE(f.is_ready());
    q.pool->shutdown({.wait = false, .cancel_pending = true});
    for (auto& f : q.waiting) EXPECT_TRUE(f.cancelled());
    EXPECT_FALSE(q.running.is_ready());
    gate.open();
    q.pool.reset();
    EXPECT_EQ(q.running.get(), 1);
  }
}

}  // namespace
}  // namespace tandem::contract
