// The contract of bounded queues: how many tasks may wait, and what becomes of the next one. That nobody waits for
// himself is in bound_progress_contract_test.cpp.
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/bound_fixture.hpp"

namespace tandem::contract {
namespace {

TYPED_TEST_SUITE(Bound, backends, backend_names);

TYPED_TEST(Bound, TakesAsManyAsHaveAWorkerOrMayWaitAndRejectsTheNext) {
  if constexpr (!TypeParam::concurrent) {
    // None ever waits, so none is rejected.
    auto pool = this->make(1, 1, when_full::reject);
    for (int i = 0; i < 200; ++i) {
      auto f = pool->submit(add_one, i);
      EXPECT_TRUE(f.is_ready());
      EXPECT_EQ(pool->stats().queued, 0);
      EXPECT_EQ(f.get(), i + 1);
    }
    return;
  }
  for (const int workers : {1, 3}) {
    for (const int capacity : {1, 2, 7}) {
      auto pool = this->make(workers, capacity, when_full::reject);
      for (int round = 0; round < 20; ++round) {
        auto gate = this->gate(std::to_string(workers) + "-" + std::to_string(capacity) + "-" +
                               std::to_string(round));
        auto fs = this->fill(*pool, workers + capacity, gate.path());
        const std::string what = what_of_full_queue(*pool);
        EXPECT_NE(what.find(TypeParam::name), std::string::npos) << what;
        EXPECT_NE(what.find("queue_capacity is " + std::to_string(capacity)), std::string::npos) << what;
        gate.open();
        for (auto& f : fs) EXPECT_EQ(f.get(), 1);
        // Whoever has the results finds the workers free.
      }
    }
  }
}

TYPED_TEST(Bound, CountsWhatRunsAndWhatWaitsInStats) {
  if constexpr (!TypeParam::concurrent) {
    // As many run as there are callers, and none waits.
    auto pool = this->make(2, 3, when_full::reject);
    auto gate = this->gate();
    const auto run = [&] {
      EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1);
    };
    submitter one(run);
    submitter two(run);
    this->counter("arrivals").wait_for(2);
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
    EXPECT_EQ(pool->stats().running, 2);
    EXPECT_EQ(pool->stats().queued, 0);
    gate.open();
    one.join();
    two.join();
    EXPECT_EQ(pool->stats().finished, 3);
    return;
  }
  auto pool = this->make(2, 3, when_full::reject);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  for (int i = 0; i < 5; ++i)
    fs.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()));
  this->counter("arrivals").wait_for(2);
  EXPECT_THROW((void)pool->submit(add_one, 1), queue_full_error);
  EXPECT_THROW(pool->post(add_one, 1), queue_full_error);
  auto stats = pool->stats();
  EXPECT_EQ(stats.running, 2);
  EXPECT_EQ(stats.queued, 3);
  gate.open();
  pool->shutdown();
  stats = pool->stats();
  EXPECT_EQ(stats.finished, 5);
  EXPECT_EQ(stats.cancelled, 0);
}

TYPED_TEST(Bound, BlockedSubmitGoesOnWhenATaskStarts) {
  if constexpr (!TypeParam::concurrent) {
    // A submit does not wait for the tasks of others.
    auto pool = this->make(1, 1, when_full::block);
    auto gate = this->gate();
    submitter other(
        [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    this->counter("arrivals").wait_for(1);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(pool->submit(add_one, i).get(), i + 1);
    EXPECT_EQ(pool->stats().running, 1);
    gate.open();
    other.join();
    return;
  }
  auto pool = this->make(1, 2, when_full::block);
  auto first = this->gate("first");
  auto others = this->gate("others");
  auto running = pool->submit(pass, first.path());
  auto waiting = this->fill(*pool, 2, others.path());
  future<int> late;
  submitter blocked([&] {
    late = pool->submit(add_one, 1);
    EXPECT_EQ(this->counter("first").value(), 1) << "it has not waited";
    EXPECT_EQ(this->counter("others").value(), 0);
  });
  blocked.wait_until_asleep();
  first.open();
  blocked.join();  // room for one is enough
  others.open();
  EXPECT_EQ(late.get(), 2);
  EXPECT_EQ(running.get() + waiting[0].get() + waiting[1].get(), 3);
}

TYPED_TEST(Bound, CancelledTaskMakesRoomForABlockedSubmit) {
  if constexpr (!TypeParam::concurrent) {
    // Nothing waits: only one that is stopped before it is submitted can be cancelled, and it takes no room.
    auto pool = this->make(1, 1, when_full::block);
    std::stop_source stop;
    stop.request_stop();
    for (int i = 0; i < 5; ++i)
      EXPECT_TRUE(pool->submit({.stop_token = stop.get_token()}, add_one, 1).cancelled());
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
    EXPECT_EQ(pool->stats().cancelled, 5);
    return;
  }
  auto pool = this->make(1, 1, when_full::block);
  auto gate = this->gate();
  auto running = pool->submit(pass, gate.path());
  auto waiting = this->fill(*pool, 1, gate.path());
  future<int> late;
  submitter blocked([&] { late = pool->submit(add_one, 1); });
  blocked.wait_until_asleep();
  EXPECT_TRUE(waiting[0].cancel());
  gate.open();  // at the latest when its turn comes
  blocked.join();
  EXPECT_EQ(late.get(), 2);
  EXPECT_EQ(running.get(), 1);
}

TYPED_TEST(Bound, SubmitTimeoutIsAQueueFullError) {
  if constexpr (!TypeParam::concurrent) {
    // Accepted, and never over: there is always room.
    auto pool = this->make(1, 1, when_full::block);
    EXPECT_EQ(pool->submit({.submit_timeout = 0s}, add_one, 1).get(), 2);
    EXPECT_EQ(what_of_full_queue(*pool, {.submit_timeout = 0s}), "");
    return;
  }
  auto pool = this->make(1, 1, when_full::block);
  auto gate = this->gate();
  auto fs = this->fill(*pool, 2, gate.path());
  for (const auto limit : {0ms, 30ms}) {
    const auto begin = std::chrono::steady_clock::now();
    const std::string what = what_of_full_queue(*pool, {.submit_timeout = limit});
    EXPECT_GE(std::chrono::steady_clock::now() - begin, limit);
    EXPECT_NE(what.find("submit_timeout"), std::string::npos) << what;
  }
  gate.open();
  for (auto& f : fs) f.get();
  EXPECT_EQ(pool->submit({.submit_timeout = 0s}, add_one, 1).get(), 2) << "there is room again";
}

TYPED_TEST(Bound, ShutdownWakesBlockedSubmitters) {
  if constexpr (!TypeParam::concurrent) {
    // Whoever is in submit() is in its task, which runs to its end.
    auto pool = this->make(1, 1, when_full::block);
    auto gate = this->gate();
    submitter other(
        [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    this->counter("arrivals").wait_for(1);
    pool->shutdown({.wait = false});
    EXPECT_EQ(pool->stats().running, 1);
    EXPECT_THROW((void)pool->submit(add_one, 1), shutdown_error);
    gate.open();
    other.join();
    return;
  }
  auto pool = this->make(1, 1, when_full::block);
  auto gate = this->gate();
  auto fs = this->fill(*pool, 2, gate.path());
  submitter one([&] { EXPECT_THROW((void)pool->submit(add_one, 1), shutdown_error); });
  submitter two(
      [&] { EXPECT_THROW((void)pool->submit({.submit_timeout = 1h}, add_one, 1), shutdown_error); });
  one.wait_until_asleep();
  two.wait_until_asleep();
  pool->shutdown({.wait = false});
  one.join();
  two.join();
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

// Passes a gate, then throws. Plain data, so that it can be sent.
struct late_failure {
  explicit late_failure(const std::string& gate) { std::memcpy(path.data(), gate.c_str(), gate.size()); }
  void operator()() const {
    test::shared_counter(path.data()).wait_for(1);
    throw std::runtime_error("the hook throws");
  }
  std::array<char, 200> path{};
};

TYPED_TEST(Bound, BrokenPoolTellsBlockedSubmitters) {
  if constexpr (TypeParam::takes_hooks) {
    testing::internal::CaptureStderr();
    {
      auto gate = this->gate();
      typename TypeParam::pool pool({.max_workers = 1,
                                     .initializer = portable_hook(late_failure(gate.path())),
                                     .queue_capacity = 1,
                                     .when_full = when_full::block});
      auto one = pool.submit(add_one, 1);
      auto two = pool.submit(add_one, 2);
      submitter blocked([&] { EXPECT_THROW((void)pool.submit(add_one, 3).get(), broken_pool_error); });
      blocked.wait_until_asleep();
      gate.open();
      blocked.join();
      EXPECT_THROW(one.get(), broken_pool_error);
      EXPECT_THROW(two.get(), broken_pool_error);
    }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("the hook throws"), std::string::npos);
  } else {
    // Nothing that a task does breaks it, and nobody is ever blocked.
    auto pool = this->make(1, 1, when_full::block);
    auto gate = this->gate();
    gate.open();
    EXPECT_THROW(pool->submit(pass_and_throw, gate.path()).get(), std::out_of_range);
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  }
}

TYPED_TEST(Bound, RunsInTheCallerIfToldTo) {
  if constexpr (!TypeParam::concurrent) {
    // So does every task.
    auto pool = this->make(1, 1, when_full::run_in_caller);
    auto here = pool->submit(worker_id);
    EXPECT_TRUE(here.is_ready());
    EXPECT_EQ(here.get(), test::this_thread());
    EXPECT_THROW(pool->submit(throw_out_of_range).get(), std::out_of_range);
    testing::internal::CaptureStderr();
    pool->post(throw_out_of_range);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("too far"), std::string::npos);
    EXPECT_EQ(pool->stats().finished, 3);
    EXPECT_EQ(pool->stats().failed, 2);
    return;
  }
  auto pool = this->make(1, 1, when_full::run_in_caller);
  auto gate = this->gate();
  auto fs = this->fill(*pool, 2, gate.path());
  auto here = pool->submit(worker_id);
  EXPECT_TRUE(here.is_ready());
  EXPECT_EQ(here.get(), test::this_thread());
  auto failing = pool->submit(throw_out_of_range);
  EXPECT_THROW(failing.get(), std::out_of_range);
  testing::internal::CaptureStderr();
  pool->post(throw_out_of_range);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("too far"), std::string::npos);
  auto stats = pool->stats();
  EXPECT_EQ(stats.finished, 3);
  EXPECT_EQ(stats.failed, 2);
  gate.open();
  for (auto& f : fs) EXPECT_NE(f.get(), 0);
  EXPECT_NE(pool->submit(worker_id).get(), test::this_thread()) << "there is room again";
  EXPECT_EQ(pool->stats().finished, 6);
}

TYPED_TEST(Bound, ShutdownWaitsForWhatRunsInACaller) {
  if constexpr (!TypeParam::concurrent) {
    auto pool = this->make(1, 1, when_full::run_in_caller);
    auto gate = this->gate();
    submitter caller(
        [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    this->counter("arrivals").wait_for(1);
    submitter closer([&] {
      pool->shutdown();
      EXPECT_EQ(this->counter("gate").value(), 1) << "it has not waited";
      EXPECT_EQ(pool->stats().finished, 1);
    });
    closer.wait_until_asleep();
    gate.open();
    closer.join();
    caller.join();
    return;
  }
  auto pool = this->make(1, 1, when_full::run_in_caller);
  auto gate = this->gate();
  auto callers = this->gate("callers");
  auto fs = this->fill(*pool, 2, gate.path());
  submitter caller(
      [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), callers.path()).get(), 1); });
  this->counter("arrivals").wait_for(1);
  submitter closer([&] {
    pool->shutdown();
    EXPECT_EQ(this->counter("callers").value(), 1) << "it has not waited";
    EXPECT_EQ(pool->stats().finished, 3);
  });
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  closer.wait_until_asleep();
  callers.open();
  closer.join();
  caller.join();
}

// For a task that takes no captures, and yet runs in this process: in its caller.
executor* pool_of_this_process = nullptr;

void shutdown_is_refused() {
  EXPECT_THROW(pool_of_this_process->shutdown(), invalid_state_error);
  EXPECT_THROW(pool_of_this_process->shutdown({.cancel_pending = true}), invalid_state_error);
}

TYPED_TEST(Bound, ShutdownInATaskThatRunsInItsCallerIsRefused) {
  auto pool = this->make(1, 1, when_full::run_in_caller);
  pool_of_this_process = pool.get();
  auto gate = this->gate();
  std::vector<future<int>> fs;
  if constexpr (TypeParam::concurrent) fs = this->fill(*pool, 2, gate.path());  // else it runs there anyhow
  pool->submit(shutdown_is_refused).get();
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2) << "nothing was changed";
}

// As on a thread, also for a pool of processes: the task is asked to stop, and nobody is killed or tries again.
TYPED_TEST(Bound, TaskThatRunsInItsCallerHasItsTimeLimitAndIsNeverTriedAgain) {
  auto pool = this->make(1, 1, when_full::run_in_caller);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  if constexpr (TypeParam::concurrent) fs = this->fill(*pool, 2, gate.path());  // else it runs there anyhow
  auto late = pool->submit({.name = "late", .timeout = 5ms}, run_until_stopped, this->path("late"));
  EXPECT_TRUE(late.is_ready());
  try {
    late.get();
    ADD_FAILURE();
  } catch (const timeout_error& e) {
    EXPECT_NE(std::string(e.what()).find("late"), std::string::npos) << e.what();
  }
  EXPECT_EQ(pool->submit({.timeout = 1h}, add_one, 1).get(), 2);
  EXPECT_EQ(pool->submit({.timeout = 1h}, this_task::attempt).get(), 1);
  if constexpr (!TypeParam::in_process) {
    EXPECT_THROW(pool->submit({.retries = 2}, throw_out_of_range).get(), std::out_of_range);
    EXPECT_EQ(pool->submit({.retries = 2}, worker_id).get(), test::this_thread());
    EXPECT_EQ(pool->stats().retried, 0);
    EXPECT_EQ(pool->stats().restarts, 0);
  }
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

TYPED_TEST(Bound, WorksThroughTheBaseClass) {
  if constexpr (!TypeParam::concurrent) {
    auto pool = this->make(1, 1, when_full::reject);
    executor& base = *pool;
    auto f = base.submit({.submit_timeout = 0s}, add_one, 1);
    EXPECT_TRUE(f.is_ready());
    EXPECT_EQ(f.get(), 2);
    EXPECT_EQ(what_of_full_queue(base), "");
    return;
  }
  auto pool = this->make(1, 1, when_full::reject);
  executor& base = *pool;
  auto gate = this->gate();
  auto fs = this->fill(base, 2, gate.path());
  EXPECT_NE(what_of_full_queue(base), "");
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  EXPECT_EQ(base.submit(add_one, 1).get(), 2);
}

TYPED_TEST(Bound, CancelPendingResolvesAllThatWaitAndRefusesTheBlocked) {
  if constexpr (!TypeParam::concurrent) {
    // Nothing waits: what runs, in another thread, goes on to its end.
    auto pool = this->make(1, 2, when_full::block);
    auto gate = this->gate();
    submitter other(
        [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    this->counter("arrivals").wait_for(1);
    pool->shutdown({.wait = false, .cancel_pending = true});
    EXPECT_THROW((void)pool->submit(add_one, 1), shutdown_error);
    gate.open();
    other.join();
    EXPECT_EQ(pool->stats().cancelled, 0);
    EXPECT_EQ(pool->stats().finished, 1);
    return;
  }
  auto pool = this->make(1, 2, when_full::block);
  auto gate = this->gate();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  this->counter("arrivals").wait_for(1);
  auto fs = this->fill(*pool, 2, gate.path());
  submitter blocked([&] { EXPECT_THROW((void)pool->submit(add_one, 1).get(), error); });
  blocked.wait_until_asleep();
  pool->shutdown({.wait = false, .cancel_pending = true});
  blocked.join();
  for (auto& f : fs) EXPECT_THROW(f.get(), cancelled_error);
  gate.open();
  EXPECT_EQ(running.get(), 1);
}

}  // namespace
}  // namespace tandem::contract
