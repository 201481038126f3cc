// The contract of the end: shutdown(), the destructor, and submits that come too late.
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/inputs.hpp"
#include "support/gate.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class Shutdown : public fixture<Backend> {};
TYPED_TEST_SUITE(Shutdown, backends, backend_names);

TYPED_TEST(Shutdown, RefusesSubmitsFromThenOn) {
  auto pool = TypeParam::make(1);
  auto before = pool->submit(add_one, 1);
  pool->shutdown();
  EXPECT_THROW(pool->submit(add_one, 1), shutdown_error);
  EXPECT_THROW(pool->submit({.name = "x"}, add_one, 1), shutdown_error);
  EXPECT_THROW(pool->post(add_one, 1), shutdown_error);
  EXPECT_THROW(pool->map(add_one, first_ints(3)), shutdown_error);
  EXPECT_EQ(before.get(), 2);
  pool->shutdown();
  pool->shutdown({.wait = false, .cancel_pending = true});
}

TYPED_TEST(Shutdown, RunsWhatWaits) {
  for (const bool by_destructor : {false, true}) {
    const std::string ran = by_destructor ? "ran1" : "ran2";
    auto pool = TypeParam::make(2);
    std::vector<future<int>> fs;
    for (int i = 0; i < 200; ++i) fs.push_back(pool->submit(count, this->path(ran)));
    by_destructor ? pool.reset() : pool->shutdown();
    EXPECT_EQ(this->counter(ran).value(), 200);
    for (auto& f : fs) EXPECT_TRUE(f.is_ready());
  }
}

TYPED_TEST(Shutdown, CancelsWhatWaitsIfToldTo) {
  if constexpr (!TypeParam::concurrent) {
    // Nothing ever waits: there is nothing to cancel.
    auto pool = TypeParam::make();
    auto f = pool->submit(count, this->path("ran"));
    pool->shutdown({.cancel_pending = true});
    EXPECT_EQ(f.get(), 1);
    EXPECT_EQ(pool->stats().cancelled, 0);
    EXPECT_THROW(pool->submit(add_one, 1), shutdown_error);
    return;
  }
  auto pool = TypeParam::make(2);
  auto gate = this->gate();
  std::vector<future<int>> running;
  std::vector<future<int>> waiting;
  for (int i = 0; i < 2; ++i)
    running.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()));
  this->counter("arrivals").wait_for(2);
  for (int i = 0; i < 50; ++i) waiting.push_back(pool->submit(count, this->path("ran")));
  std::thread opener([&] {
    // All that waited is cancelled while the others still run.
    EXPECT_EQ(wait(waiting).done.size(), waiting.size());
    gate.open();
  });
  pool->shutdown({.cancel_pending = true});
  opener.join();
  for (auto& f : running) EXPECT_EQ(f.get(), 1);
  for (auto& f : waiting) EXPECT_TRUE(f.cancelled());
  EXPECT_EQ(this->counter("ran").value(), 0);
  EXPECT_EQ(pool->stats().cancelled, 50);
}

TYPED_TEST(Shutdown, WithoutWaitReturnsAtOnceAndFinishesWhatWasAccepted) {
  if constexpr (!TypeParam::concurrent) {
    // What was accepted is a task that another thread runs in its submit().
    auto pool = TypeParam::make();
    auto gate = this->gate();
    std::thread submitter(
        [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    this->counter("arrivals").wait_for(1);
    pool->shutdown({.wait = false});
    EXPECT_EQ(pool->stats().running, 1);
    EXPECT_THROW(pool->submit(add_one, 1), shutdown_error);
    gate.open();
    submitter.join();
    return;
  }
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
  auto waiting = pool->submit(add_one, 1);
  this->counter("arrivals").wait_for(1);
  pool->shutdown({.wait = false});
  EXPECT_FALSE(running.is_ready());
  EXPECT_FALSE(waiting.is_ready());
  EXPECT_THROW(pool->submit(add_one, 1), shutdown_error);
  gate.open();
  EXPECT_EQ(running.get(), 1);
  EXPECT_EQ(waiting.get(), 2);
}

TYPED_TEST(Shutdown, OfAnUnusedPoolReturns) {
  auto pool = TypeParam::make(3);
  pool->shutdown();
  EXPECT_EQ(pool->stats().finished, 0);
  TypeParam::make(3).reset();
}

TYPED_TEST(Shutdown, MayBeCalledByManyThreadsAtOnce) {
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  for (int i = 0; i < 100; ++i) fs.push_back(pool->submit(add_one, i));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      pool->shutdown();
      for (auto& f : fs) EXPECT_TRUE(f.is_ready());
    });
  }
  for (auto& t : threads) t.join();
}

TYPED_TEST(Shutdown, EverySubmitThatRacesItIsRefusedOrResolved) {
  constexpr int rounds = TypeParam::in_process ? 50 : 5;
  for (int round = 0; round < rounds; ++round) {
    auto pool = TypeParam::make(2);
    std::atomic<int> accepted{0};
    std::vector<std::thread> threads;
    test::counter submitting;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        std::vector<future<int>> fs;
        try {
          for (int i = 0; i < 100'000; ++i) {
            fs.push_back(pool->submit(add_one, i));
            if (i == 20) submitting.add();
          }
        } catch (const shutdown_error&) {}
        accepted += static_cast<int>(fs.size());
        for (std::size_t i = 0; i < fs.size(); ++i) {
          if (round % 2 == 1 && fs[i].exception() != nullptr) {
            EXPECT_TRUE(fs[i].cancelled());
          } else {
            EXPECT_EQ(fs[i].get(), static_cast<int>(i) + 1);
          }
        }
      });
    }
    submitting.wait_for(1);
    pool->shutdown({.cancel_pending = round % 2 == 1});
    for (auto& t : threads) t.join();
    const auto stats = pool->stats();
    EXPECT_EQ(stats.finished + stats.cancelled, accepted);
  }
}

TYPED_TEST(Shutdown, WithWaitInATaskIsRefused) {
  if constexpr (!TypeParam::in_process) {
    // A task does not see its pool; a callback, which may run on the pool's own thread, does.
    auto pool = TypeParam::make(1);
    auto gate = this->gate();
    test::counter called;
    auto f = pool->submit(pass, gate.path());
    f.on_done([&] {
      EXPECT_THROW(pool->shutdown(), invalid_state_error);
      called.add();
    });
    gate.open();
    called.wait_for(1);
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  } else {
    auto pool = TypeParam::make(1);
    pool->submit([&] {
          EXPECT_THROW(pool->shutdown(), invalid_state_error);
          EXPECT_THROW(pool->shutdown({.cancel_pending = true}), invalid_state_error);
        })
        .get();
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2) << "nothing was changed";
    pool->submit([&] { pool->shutdown({.wait = false}); }).get();
    EXPECT_THROW(pool->submit(add_one, 1), shutdown_error);
  }
}

TYPED_TEST(Shutdown, ByDestructionInATaskSaysSoAndFinishesTheRest) {
  if constexpr (!TypeParam::in_process || !TypeParam::concurrent) {
    if constexpr (TypeParam::in_process) {
      // A caller that destroys what it is in cannot be helped (docs/contract.md). It can end it.
      auto pool = TypeParam::make();
      EXPECT_EQ(pool->submit([&] {
                      pool->shutdown({.wait = false});
                      return 1;
                    })
                    .get(),
                1);
      EXPECT_THROW(pool->submit(add_one, 1), shutdown_error);
    } else {
      // No task runs on a thread of the pool; a callback does.
      auto pool = TypeParam::make(1);
      test::counter called;
      auto gate = this->gate();
      auto first = pool->submit(pass, gate.path());
      auto second = pool->submit(add_one, 1);
      first.on_done([&] {
        pool.reset();
        called.add();
      });
      gate.open();
      called.wait_for(1);
      EXPECT_EQ(second.get(), 2);
    }
  } else {
    auto pool = TypeParam::make(1);
    test::gate ready;
    test::counter ran;
    auto first = pool->submit([&] {
      ready.wait();
      testing::internal::CaptureStderr();
      pool.reset();
      return testing::internal::GetCapturedStderr();
    });
    auto second = pool->submit([&] { ran.add(); });
    ready.open();
    EXPECT_NE(first.get().find("destroyed"), std::string::npos);
    second.get();
    EXPECT_EQ(ran.value(), 1);
  }
}

}  // namespace
}  // namespace tandem::contract
