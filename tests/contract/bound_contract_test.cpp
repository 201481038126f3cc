// The contract of bounded queues: how many tasks may wait, what becomes of the next one, and that nobody waits for
// himself.
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/inputs.hpp"
#include "support/asleep.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class Bound : public fixture<Backend> {
 protected:
  using pool_type = typename Backend::pool;

  /// Where a task runs within its submit() nothing can wait, and there is no queue to be bounded.
  [[nodiscard]] static std::unique_ptr<pool_type> make([[maybe_unused]] int workers,
                                                       [[maybe_unused]] int capacity,
                                                       [[maybe_unused]] when_full policy) {
    if constexpr (Backend::concurrent) {
      return std::make_unique<pool_type>(
          typename Backend::options{.max_workers = workers, .queue_capacity = capacity, .when_full = policy});
    } else {
      return std::make_unique<pool_type>();
    }
  }

  /// Tasks that wait for the gate, until no more are accepted without waiting.
  [[nodiscard]] std::vector<future<int>> fill(executor& pool, int count, const std::string& gate) const {
    std::vector<future<int>> fs;
    for (int i = 0; i < count; ++i) fs.push_back(pool.submit({.submit_timeout = 0s}, pass, gate));
    return fs;
  }
};
TYPED_TEST_SUITE(Bound, backends, backend_names);

std::string what_of_full_queue(executor& pool, task_options options = {}) {
  try {
    (void)pool.submit(std::move(options), add_one, 1);
  } catch (const queue_full_error& e) {
    return e.what();
  }
  return "";
}

// A thread that submits, and may have to wait with it.
class submitter {
 public:
  template <class Submit>
  explicit submitter(Submit submit)
      : thread_([this, submit] {
          id_ = test::this_thread();
          id_.notify_all();
          submit();
        }) {}
  void wait_until_asleep() {
    id_.wait(0);
    test::wait_until_asleep(id_);
  }
  void join() { thread_.join(); }

 private:
  std::atomic<int> id_{0};
  std::thread thread_;
};

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

[[maybe_unused]] int submit_to_a_pool_of_ones_own() {
  thread_pool own({.max_workers = 1, .queue_capacity = 1, .when_full = when_full::block});
  std::vector<future<int>> fs;
  for (int i = 0; i < 20; ++i) fs.push_back(own.submit(add_one, i));
  int sum = 0;
  for (auto& f : fs) sum += f.get();
  return sum;
}

TYPED_TEST(Bound, SubmitOnAWorkerNeverWaits) {
  auto pool = this->make(1, 1, when_full::block);
  if constexpr (!TypeParam::in_process) {
    // A task in another process does not reach its pool. It may have one of its own, whose workers make room.
    executor& base = *pool;
    EXPECT_THROW((void)base.submit([&pool] { (void)pool->submit(add_one, 1); }).get(), not_portable_error);
    EXPECT_EQ(pool->submit(submit_to_a_pool_of_ones_own).get(), 210);
  } else {
    auto all = pool->submit([&pool] {
      std::vector<future<int>> fs;
      for (int i = 0; i < 20; ++i) fs.push_back(pool->submit(add_one, i));
      int sum = 0;
      for (auto& f : fs) sum += f.get();
      return sum;
    });
    EXPECT_EQ(all.get(), 210);
  }
}

TYPED_TEST(Bound, SubmitInACallbackNeverWaits) {
  if constexpr (!TypeParam::concurrent) {
    // The task is done before there is a callback: it is called at once, and its tasks are done in it.
    auto pool = this->make(1, 1, when_full::block);
    int sum = 0;
    pool->submit(add_one, 1).on_done([&](auto&) {
      for (int i = 0; i < 20; ++i) sum += pool->submit(add_one, i).get();
    });
    EXPECT_EQ(sum, 210);
    return;
  }
  auto pool = this->make(1, 1, when_full::block);
  auto gate = this->gate();
  promise<std::vector<future<int>>> submitted;
  auto first = pool->submit(pass, gate.path());
  first.on_done([&](auto&) {
    std::vector<future<int>> fs;
    for (int i = 0; i < 20; ++i) fs.push_back(pool->submit(add_one, i));
    submitted.set_value(std::move(fs));
  });
  gate.open();
  int sum = 0;
  for (auto& f : submitted.get_future().get()) sum += f.get();
  EXPECT_EQ(sum, 210);
}

TYPED_TEST(Bound, SubmitInACallbackThatIsOnNoWorkerNeverWaits) {
  if constexpr (!TypeParam::concurrent) {
    auto pool = this->make(1, 1, when_full::block);
    promise<void> p;
    auto ready = p.get_future();
    future<int> late;
    ready.on_done([&](auto&) { late = pool->submit(worker_id); });
    p.set_value();
    EXPECT_EQ(late.get(), test::this_thread());
    return;
  }
  auto pool = this->make(1, 1, when_full::block);
  auto gate = this->gate();
  auto fs = this->fill(*pool, 2, gate.path());
  promise<void> p;
  auto ready = p.get_future();
  future<int> late;
  ready.on_done([&](auto&) { late = pool->submit(add_one, 1); });
  p.set_value();  // calls it in this thread, which is the one that opens the gate
  EXPECT_TRUE(late.valid());
  gate.open();
  EXPECT_EQ(late.get(), 2);
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

TYPED_TEST(Bound, ContinuationsAreAcceptedBeyondIt) {
  if constexpr (!TypeParam::concurrent) {
    // They run in the thread that ends the predecessor.
    auto pool = this->make(1, 1, when_full::reject);
    promise<int> p;
    auto after = p.get_future().then(*pool, worker_id_of);
    EXPECT_FALSE(after.is_ready());
    p.set_value(1);
    EXPECT_TRUE(after.is_ready());
    EXPECT_EQ(after.get(), test::this_thread());
    return;
  }
  for (const auto policy : {when_full::block, when_full::reject, when_full::run_in_caller}) {
    auto pool = this->make(1, 1, policy);
    auto gate = this->gate("gate" + std::to_string(static_cast<int>(policy)));
    auto fs = this->fill(*pool, 2, gate.path());
    promise<int> p;
    auto after = p.get_future().then(*pool, worker_id_of);
    p.set_value(1);
    EXPECT_FALSE(after.is_ready());
    gate.open();
    EXPECT_NE(after.get(), test::this_thread());
    for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  }
}

TYPED_TEST(Bound, MapsWorkWhateverHappensWhenItIsFull) {
  const std::vector<int> xs = first_ints(300);
  std::vector<int> expected;
  for (const int x : xs) expected.push_back(x + 1);
  for (const auto policy : {when_full::block, when_full::reject, when_full::run_in_caller}) {
    auto pool = this->make(2, 1, policy);
    EXPECT_EQ(pool->map({.chunk_size = 1}, add_one, xs), expected);
    EXPECT_EQ(pool->map({.timeout = 1h}, add_one, xs), expected);
    std::vector<int> got;
    for (int r : pool->imap({.chunk_size = 1, .window = 50}, add_one, xs)) got.push_back(r);
    EXPECT_EQ(got, expected);
    int sum = 0;
    for (int r : pool->imap_unordered({.chunk_size = 1, .window = 50}, add_one, xs)) sum += r;
    EXPECT_EQ(sum, 300 * 301 / 2);
  }
}

TYPED_TEST(Bound, MapIsNotRejectedByAFullQueue) {
  if constexpr (!TypeParam::concurrent) {
    // Nor held up by the tasks of others.
    auto pool = this->make(1, 1, when_full::reject);
    auto gate = this->gate();
    submitter other(
        [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    this->counter("arrivals").wait_for(1);
    EXPECT_EQ(pool->map(add_one, first_ints(3)), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(pool->stats().running, 1);
    gate.open();
    other.join();
    return;
  }
  auto pool = this->make(1, 1, when_full::reject);
  auto gate = this->gate();
  auto fs = this->fill(*pool, 2, gate.path());
  submitter mapper([&] { EXPECT_EQ(pool->map(add_one, first_ints(3)), (std::vector<int>{1, 2, 3})); });
  mapper.wait_until_asleep();
  gate.open();
  mapper.join();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

TYPED_TEST(Bound, WorkerOfAnotherPoolIsStoodInForWhileItsSubmitWaits) {
  if constexpr (!TypeParam::concurrent) {
    // It does not wait: it runs the task itself.
    auto pool = this->make(1, 1, when_full::block);
    thread_pool outer({.max_workers = 1});
    const int worker = outer.submit(worker_id).get();
    EXPECT_EQ(outer.submit([&] { return pool->submit(worker_id).get(); }).get(), worker);
    return;
  }
  auto pool = this->make(1, 1, when_full::block);
  auto gate = this->gate();
  thread_pool outer({.max_workers = 1});
  auto fs = this->fill(*pool, 2, gate.path());
  auto nested = outer.submit([&] { return pool->submit(add_one, 1).get(); });
  auto opener = outer.submit([&] { gate.open(); });  // behind it, on the only worker
  opener.get();
  EXPECT_EQ(nested.get(), 2);
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

TYPED_TEST(Bound, TaskThatIsRunInPlaceMakesRoomWhenItsTurnComes) {
  if constexpr (!TypeParam::in_process) {
    // None is: a task in another process cannot wait for one of its pool. Each makes room when its worker begins it.
    auto pool = this->make(1, 2, when_full::reject);
    for (int round = 0; round < 50; ++round) {
      auto gate = this->gate("gate" + std::to_string(round));
      auto fs = this->fill(*pool, 3, gate.path());
      EXPECT_THROW((void)pool->submit(add_one, 1), queue_full_error);
      gate.open();
      for (auto& f : fs) EXPECT_EQ(f.get(), 1);
    }
  } else if constexpr (!TypeParam::concurrent) {
    // Every task runs in place, and there is no room to be made.
    auto pool = this->make(1, 2, when_full::reject);
    const int sum = pool->submit([&pool] {
                          int all = 0;
                          for (int i = 0; i < 20; ++i) all += pool->submit(add_one, i).get();
                          return all;
                        })
                        .get();
    EXPECT_EQ(sum, 210);
    EXPECT_EQ(pool->stats().queued, 0);
  } else {
    auto pool = this->make(1, 2, when_full::reject);
    for (int round = 0; round < 50; ++round) {
      pool->submit([&pool] {
            auto inner = pool->submit(add_one, 1);  // waits behind us, unless we run it
            EXPECT_EQ(inner.get(), 2);
          })
          .get();
    }
    // All that was counted has been counted back.
    auto gate = this->gate();
    std::vector<future<int>> fs;
    while (fs.size() < 3) {
      try {
        fs.push_back(pool->submit(pass, gate.path()));
      } catch (const queue_full_error&) {  // the inner ones' places are still being passed
        std::this_thread::yield();
      }
    }
    EXPECT_THROW((void)pool->submit(add_one, 1), queue_full_error);
    gate.open();
    for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  }
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
