// The contract of fork(): a child that has inherited a pool has none of its workers. It is told so, may end the pool or
// leave it, may make its own, and does no harm to its parent's.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/backends.hpp"
#include "contract/inputs.hpp"
#include "support/asleep.hpp"
#include "support/gate.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

// What `what` returns in a forked child; -1 if it throws, -2 if the child dies. A child that hangs is killed: the
// watchdog is a thread of the parent.
template <class What>
int in_child(What what) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(50);
    int code = 255;
    try {
      code = what();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "in the forked child: %s\n", e.what());
    }
    _exit(code);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -2;
  return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

// A task that forks, wherever it runs.
int fork_and_wait(int code) {
  return in_child([code] { return code; });
}

template <class Call>
bool is_told(Call call) {
  try {
    call();
    return false;
  } catch (const broken_pool_error& e) {
    return std::string(e.what()).find("fork") != std::string::npos;
  }
}

template <class Backend>
class Fork : public fixture<Backend> {
 protected:
  // A pool that runs a task until the gate opens, with more behind it.
  void SetUp() override {
    pool_ = Backend::make(1);
    if constexpr (Backend::concurrent) {
      running_ = pool_->submit(arrive_and_pass, this->path("arrivals"), gate_.path());
      this->counter("arrivals").wait_for(1);
      for (int i = 0; i < 20; ++i) waiting_.push_back(pool_->submit(add_one, i));
    } else {
      other_ = std::thread([this] {
        EXPECT_EQ(pool_->submit(arrive_and_pass, this->path("arrivals"), gate_.path()).get(), 1);
      });
      this->counter("arrivals").wait_for(1);
    }
  }
  // Nothing of it has been harmed.
  void TearDown() override {
    gate_.open();
    if (other_.joinable()) other_.join();
    if (running_.valid()) {
      EXPECT_EQ(running_.get(), 1);
    }
    for (std::size_t i = 0; i < waiting_.size(); ++i) EXPECT_EQ(waiting_[i].get(), static_cast<int>(i) + 1);
    EXPECT_EQ(pool_->submit(add_one, 1).get(), 2);
    pool_->shutdown();
    EXPECT_EQ(pool_->stats().cancelled, 0);
  }

  std::unique_ptr<typename Backend::pool> pool_;
  test::shared_gate gate_ = this->gate();
  future<int> running_;
  std::vector<future<int>> waiting_;
  std::thread other_;
};
TYPED_TEST_SUITE(Fork, backends, backend_names);

TYPED_TEST(Fork, ChildIsToldThatItHasNoWorkers) {
  auto& pool = *this->pool_;
  const int code = in_child([&] {
    if constexpr (!TypeParam::concurrent) {
      // The caller is the worker, and it is here.
      if (pool.submit(add_one, 1).get() != 2 || pool.stats().running != 0) return 1;
      if (pool.map(add_one, first_ints(3)) != std::vector<int>{1, 2, 3}) return 2;
      if (pool.submit_after(1ms, add_one, 1).get() != 2) return 3;
    } else {
      executor& base = pool;
      promise<int> p;
      auto after = p.get_future().then(pool, add_one);
      p.set_value(1);
      if (!is_told([&] { (void)pool.submit(add_one, 1); })) return 1;
      if (!is_told([&] { pool.post(add_one, 1); })) return 2;
      if (!is_told([&] { (void)pool.map(add_one, first_ints(3)); })) return 3;
      if (!is_told([&] { (void)pool.submit_each(add_one, first_ints(3)); })) return 4;
      if (!is_told([&] { (void)pool.submit_after(1h, add_one, 1); })) return 5;
      if (!is_told([&] { (void)pool.submit_every(1h, nothing); })) return 6;
      if (!is_told([&] { (void)base.submit(add_one, 1); })) return 7;
      if (!is_told([&] { after.get(); })) return 8;
      if (pool.stats().workers != 0 || pool.is_open()) return 9;
    }
    return 0;
  });
  EXPECT_EQ(code, 0);
}

TYPED_TEST(Fork, ChildMayEndWhatItHasInherited) {
  for (const bool wait : {true, false}) {
    for (const bool cancel : {false, true}) {
      const int code = in_child([&] {
        this->pool_->shutdown({.wait = wait, .cancel_pending = cancel});
        this->pool_->shutdown();
        std::unique_ptr<executor> last = std::move(this->pool_);
        last.reset();
        return 0;
      });
      EXPECT_EQ(code, 0);
    }
  }
}

TYPED_TEST(Fork, ChildMayHaveAPoolOfItsOwn) {
  if constexpr (TypeParam::concurrent && !TypeParam::names_workers) {
    // Threads that are not the pool's own: oneTBB cannot start any in a child of a process that has used it.
    const int code = in_child([] {
      try {
        auto own = TypeParam::make(2);
        return 1;
      } catch (const start_error& e) {
        if (std::string(e.what()).find("fork") == std::string::npos) return 2;
      }
      thread_pool other({.max_workers = 2});
      return other.map(add_one, first_ints(50)).back() == 50 ? 0 : 3;
    });
    EXPECT_EQ(code, 0);
    return;
  }
  const int code = in_child([&] {
    auto own = TypeParam::make(2);
    if (own->map(add_one, first_ints(50)).back() != 50) return 1;
    auto late = own->submit_after(1ms, add_one, 1);
    if (late.get() != 2) return 2;
    own->shutdown();
    if (own->stats().finished < 2) return 3;
    return in_child([&] {  // and a child of its own
      own.reset();
      return TypeParam::make(1)->submit(add_one, 1).get() == 2 ? 0 : 4;
    });
  });
  EXPECT_EQ(code, 0);
}

TYPED_TEST(Fork, ChildMayKeepAndDropFutures) {
  auto done = this->pool_->submit_after(1h, add_one, 1);
  done.cancel();
  auto delayed = this->pool_->submit_after(1h, add_one, 1);
  auto repeated = this->pool_->submit_every(1h, nothing);
  const int code = in_child([&] {
    if (!done.cancelled() || delayed.wait_for(0s)) return 1;
    if (!delayed.cancel() || !repeated.cancel()) return 2;
    if (this->running_.valid() && (this->running_.wait_for(1ms) || this->running_.cancel())) return 3;
    for (auto& f : this->waiting_) {
      if (f.wait_for(0s)) return 4;
      (void)f.cancel();  // here, and here only
    }
    this->waiting_.clear();
    this->running_ = {};
    return 0;
  });
  EXPECT_EQ(code, 0);
  EXPECT_FALSE(delayed.is_ready());
  EXPECT_TRUE(delayed.cancel());
  EXPECT_TRUE(repeated.cancel());
}

TYPED_TEST(Fork, MayComeWhileOthersSubmitAndMakePools) {
  constexpr int rounds = TypeParam::in_process ? 30 : 5;
  std::atomic<bool> enough{false};
  auto busy = TypeParam::make(2);
  test::counter submitting;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!enough) {
        for (int i = 0; i < 20; ++i) EXPECT_EQ(busy->submit(add_one, i).get(), i + 1);
        submitting.add();
      }
    });
  }
  threads.emplace_back([&] {
    while (!enough) {
      auto other = TypeParam::make(1);
      EXPECT_EQ(other->submit(add_one, 1).get(), 2);
      auto late = other->submit_after(1h, add_one, 1);
    }
  });
  submitting.wait_for(2);
  for (int round = 0; round < rounds; ++round) {
    const int code = in_child([&] {
      busy->shutdown();
#ifdef __SANITIZE_ADDRESS__
      return 0;  // its allocator's locks are not kept from being held over a fork: a child that allocates may hang in it
#endif
      busy.reset();
      return thread_pool({.max_workers = 1}).submit(add_one, 1).get() == 2 ? 0 : 1;
    });
    EXPECT_EQ(code, 0);
  }
  enough = true;
  for (auto& t : threads) t.join();
}

TYPED_TEST(Fork, MayComeInATask) {
  auto pool = TypeParam::make(2);
  std::vector<future<int>> fs;
  for (int i = 0; i < 10; ++i) fs.push_back(pool->submit(fork_and_wait, i));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(fs[i].get(), i);
}

}  // namespace
}  // namespace tandem::contract
