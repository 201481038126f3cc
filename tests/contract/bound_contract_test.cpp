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

  void SetUp() override {
    if (!Backend::takes_max_workers) GTEST_SKIP() << "has no queue: a task runs within submit()";
  }

  [[nodiscard]] static std::unique_ptr<pool_type> make(int workers, int capacity, when_full policy) {
    if constexpr (Backend::takes_max_workers) {
      return std::make_unique<pool_type>(
          typename Backend::options{.max_workers = workers, .queue_capacity = capacity, .when_full = policy});
    } else {
      return std::make_unique<pool_type>();  // never used: see SetUp()
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
  }
}

TYPED_TEST(Bound, RunsInTheCallerIfToldTo) {
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

TYPED_TEST(Bound, ShutdownInATaskThatRunsInItsCallerIsRefused) {
  if constexpr (!TypeParam::in_process) {
    GTEST_SKIP() << "what can be sent to another process does not know its pool";
  } else {
    auto pool = this->make(1, 1, when_full::run_in_caller);
    auto gate = this->gate();
    auto fs = this->fill(*pool, 2, gate.path());
    pool->submit([&pool] { EXPECT_THROW(pool->shutdown(), invalid_state_error); }).get();
    gate.open();
    for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  }
}

TYPED_TEST(Bound, WorksThroughTheBaseClass) {
  auto pool = this->make(1, 1, when_full::reject);
  executor& base = *pool;
  auto gate = this->gate();
  auto fs = this->fill(base, 2, gate.path());
  EXPECT_NE(what_of_full_queue(base), "");
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  EXPECT_EQ(base.submit(add_one, 1).get(), 2);
}

TYPED_TEST(Bound, SubmitOnAWorkerNeverWaits) {
  if constexpr (!TypeParam::in_process) {
    GTEST_SKIP() << "a task in another process does not see its pool";
  } else {
    auto pool = this->make(1, 1, when_full::block);
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
    GTEST_SKIP() << "a task in another process does not see its pool";
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
