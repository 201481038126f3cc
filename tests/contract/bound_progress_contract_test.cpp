// The contract of bounded queues: nobody waits for himself. Whoever is needed to make room is let in beyond the bound.
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "contract/bound_fixture.hpp"
#include "contract/inputs.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class BoundProgress : public Bound<Backend> {};
TYPED_TEST_SUITE(BoundProgress, backends, backend_names);

int count_run(std::string path) { return test::shared_counter(path).add(); }

[[maybe_unused]] int submit_to_a_pool_of_ones_own() {
  thread_pool own({.max_workers = 1, .queue_capacity = 1, .when_full = when_full::block});
  std::vector<future<int>> fs;
  for (int i = 0; i < 20; ++i) fs.push_back(own.submit(add_one, i));
  int sum = 0;
  for (auto& f : fs) sum += f.get();
  return sum;
}

TYPED_TEST(BoundProgress, SubmitOnAWorkerNeverWaits) {
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

TYPED_TEST(BoundProgress, SubmitInACallbackNeverWaits) {
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

TYPED_TEST(BoundProgress, SubmitInACallbackThatIsOnNoWorkerNeverWaits) {
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

TYPED_TEST(BoundProgress, ContinuationsAreAcceptedBeyondIt) {
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

TYPED_TEST(BoundProgress, MapsWorkWhateverHappensWhenItIsFull) {
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

TYPED_TEST(BoundProgress, MapIsNotRejectedByAFullQueue) {
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

TYPED_TEST(BoundProgress, WorkerOfAnotherPoolIsStoodInForWhileItsSubmitWaits) {
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

TYPED_TEST(BoundProgress, TaskThatIsRunInPlaceMakesRoomWhenItsTurnComes) {
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

TYPED_TEST(BoundProgress, DelayedAndRepeatedTasksAreAcceptedBeyondTheBound) {
  auto pool = this->make(1, 1, when_full::reject);
  auto gate = this->gate();
  std::vector<future<int>> fs;
  if constexpr (TypeParam::concurrent) {
    fs = this->fill(*pool, 2, gate.path());
    EXPECT_NE(what_of_full_queue(*pool), "");
  }
  fs.push_back(pool->submit_after(0s, add_one, 0));
  fs.push_back(pool->submit_at(std::chrono::steady_clock::now() - 1s, add_one, 0));
  fs.push_back(pool->submit_after(1ms, add_one, 0));
  auto repeated = pool->submit_every(1ms, count_run, this->path("runs"));
  gate.open();
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  this->counter("runs").wait_for(3);
  EXPECT_FALSE(repeated.is_ready());
  repeated.cancel();
}

// Callbacks that the calling thread has put off may be what somebody waits for who runs a task in his submit().
TYPED_TEST(BoundProgress, ShutdownCallsWhatIsPutOffBeforeItWaitsForTasksInTheirSubmitters) {
  auto pool = this->make(1, 1, when_full::run_in_caller);
  auto gate = this->gate();
  auto second = this->gate("second");
  std::vector<future<int>> fs;
  std::thread caller;
  if constexpr (TypeParam::concurrent) fs = this->fill(*pool, 2, gate.path());
  future<int> in_caller;
  caller =
      std::thread([&] { in_caller = pool->submit(arrive_and_pass, this->path("arrivals"), second.path()); });
  this->counter("arrivals").wait_for(1);
  promise<void> outer;
  promise<void> inner;
  auto outer_done = outer.get_future();
  auto inner_done = inner.get_future();
  inner_done.on_done([&] { second.open(); });
  outer_done.on_done([&] {
    inner.set_value();  // within a callback: its own callbacks are put off
    gate.open();
    pool->shutdown();
  });
  outer.set_value();
  caller.join();
  EXPECT_EQ(in_caller.get(), 1);
  for (auto& f : fs) EXPECT_EQ(f.get(), 1);
}

}  // namespace
}  // namespace tandem::contract
