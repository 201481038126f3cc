// The contract of time: tasks whose time is yet to come. Those that come again and again are in
// repetition_contract_test.cpp.
#include <tandem/tandem.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/tasks.hpp"
#include "support/asleep.hpp"
#include "support/gate.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

template <class Backend>
class SubmitAfter : public fixture<Backend> {};
TYPED_TEST_SUITE(SubmitAfter, backends, backend_names);

long long now_in_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now().time_since_epoch()).count();
}

// The timer has its hands full until release(), so that nothing that a test sets meanwhile is due too early for it.
class busy_timer {
 public:
  busy_timer() {
    done_ = executor_.submit_after(1ms, [this] {
      ringing_.open();
      go_on_.wait();
    });
    ringing_.wait();
  }
  busy_timer(const busy_timer&) = delete;
  busy_timer& operator=(const busy_timer&) = delete;
  ~busy_timer() {
    release();
    done_.wait();
  }

  void release() { go_on_.open(); }

 private:
  test::gate ringing_;
  test::gate go_on_;
  inline_executor executor_;  // whose delayed tasks run on the timer's thread
  future<void> done_;
};

TYPED_TEST(SubmitAfter, RunsTheTaskWhenItsTimeHasComeAndNotBefore) {
  auto pool = TypeParam::make(1);
  busy_timer timer;
  const auto begin = now_in_nanoseconds();
  auto f = pool->submit_after(30ms, now_in_nanoseconds);
  EXPECT_FALSE(f.is_ready());
  EXPECT_EQ(f.state(), future_state::pending);
  timer.release();
  EXPECT_GE(f.get() - begin, 30'000'000);
  auto g = pool->submit_at(clock::now() + 10ms, add, 2, 3);
  EXPECT_EQ(g.get(), 5);
  auto h = pool->submit_at({.name = "late"}, std::chrono::system_clock::now() + 10ms, repeat,
                           std::string("ab"), 2);
  EXPECT_EQ(h.get(), "abab");
  executor& any = *pool;
  EXPECT_EQ(any.submit_after({.name = "late"}, 1ms, add_one, 1).get(), 2);
}

TYPED_TEST(SubmitAfter, NothingIsAtOnce) {
  auto pool = TypeParam::make(1);
  EXPECT_EQ(pool->submit_after(0s, add_one, 1).get(), 2);
  EXPECT_EQ(pool->submit_after(-5s, add_one, 1).get(), 2);
  EXPECT_EQ(pool->submit_at(clock::time_point::min(), add_one, 1).get(), 2);
}

TYPED_TEST(SubmitAfter, ForeverIsUntilItIsCancelled) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit_after(std::chrono::hours::max(), add_one, 1);
  auto g = pool->submit_at(clock::time_point::max(), add_one, 1);
  EXPECT_FALSE(f.wait_for(1ms));
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(g.cancel());
  EXPECT_THROW(f.get(), cancelled_error);
}

TYPED_TEST(SubmitAfter, TimesAreKeptWhateverTheOrderOfSubmission) {
  auto pool = TypeParam::make(1);
  const std::string turn = this->path("turn");
  busy_timer timer;
  const auto now = clock::now();
  auto third = pool->submit_at(now + 3ms, count, turn);
  auto first = pool->submit_at(now + 1ms, count, turn);
  auto second = pool->submit_at(now + 2ms, count, turn);
  timer.release();
  EXPECT_EQ(first.get(), 1);
  EXPECT_EQ(second.get(), 2);
  EXPECT_EQ(third.get(), 3);
}

TYPED_TEST(SubmitAfter, CancelledTaskNeverRunsAndIsFreedAtOnce) {
  auto pool = TypeParam::make(1);
  std::stop_source stop;
  busy_timer timer;
  const auto now = clock::now();
  auto f = pool->submit_at(now + 1ms, count, this->path("ran"));
  auto g = pool->submit_at({.stop_token = stop.get_token()}, now + 1ms, count, this->path("ran"));
  EXPECT_TRUE(f.cancel());
  stop.request_stop();
  EXPECT_TRUE(g.cancelled());
  auto behind = pool->submit_at(now + 2ms, add_one, 1);
  timer.release();
  EXPECT_EQ(behind.get(), 2) << "the others' time has passed";
  EXPECT_EQ(this->counter("ran").value(), 0);
  if constexpr (TypeParam::in_process) {
    const auto token = std::make_shared<int>(1);
    auto h = pool->submit_after(1h, [token] { return *token; });
    EXPECT_EQ(token.use_count(), 2);
    h.cancel();
    EXPECT_EQ(token.use_count(), 1);
  }
}

TYPED_TEST(SubmitAfter, ShutdownCancelsWhatIsNotDueAndRefusesFurtherOnes) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit_after(1h, add_one, 1);
  auto g = pool->submit_after(1h, add_one, 1);
  pool->shutdown();
  EXPECT_THROW(f.get(), cancelled_error);
  EXPECT_TRUE(g.cancelled());
  EXPECT_THROW((void)pool->submit_after(1ms, add_one, 1), shutdown_error);
  EXPECT_THROW((void)pool->submit_every(1ms, nothing), shutdown_error);
}

TYPED_TEST(SubmitAfter, ShutdownThatDoesNotWaitCancelsWhatIsNotDueToo) {
  auto pool = TypeParam::make(1);
  auto once = pool->submit_after(1h, add_one, 1);
  auto again = pool->submit_every(1h, nothing);
  pool->shutdown({.wait = false});
  EXPECT_TRUE(once.cancelled());
  EXPECT_TRUE(again.cancelled());
}

TYPED_TEST(SubmitAfter, ThatRacesShutdownResolves) {
  for (int round = 0; round < (TypeParam::in_process ? 100 : 5); ++round) {
    auto pool = TypeParam::make(1);
    std::vector<future<int>> fs;
    std::thread other([&] {
      try {
        for (int i = 0; i < 200; ++i)
          fs.push_back(pool->submit_after(std::chrono::microseconds(i), add_one, i));
      } catch (const shutdown_error&) {
        // from now on
      }
    });
    pool->shutdown();
    other.join();
    for (auto& f : fs) {
      ASSERT_TRUE(f.is_ready()) << "shutdown() has returned";
      EXPECT_TRUE(f.cancelled() || f.exception() == nullptr);
    }
  }
}

TYPED_TEST(SubmitAfter, ThatRacesShutdownIsNotRunBeforeItsTime) {
  for (int round = 0; round < (TypeParam::in_process ? 500 : 5); ++round) {
    auto pool = TypeParam::make(1);
    std::vector<future<int>> fs;
    std::vector<future<void>> repeated;
    std::atomic<bool> has_begun{false};
    std::thread other([&] {
      try {
        for (int i = 0; i < 1000; ++i) {
          fs.push_back(pool->submit_after(1h, add_one, i));
          repeated.push_back(pool->submit_every(1h, nothing));
          has_begun = true;
          has_begun.notify_one();
        }
      } catch (const shutdown_error&) {
        // from now on
      }
    });
    has_begun.wait(false);
    pool->shutdown();
    other.join();
    for (auto& f : fs) ASSERT_TRUE(f.cancelled());
    for (auto& f : repeated) ASSERT_TRUE(f.cancelled());
  }
}

TYPED_TEST(SubmitAfter, CancelledOneLeavesNoAlarm) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit_after(1h, add_one, 1);
  auto g = pool->submit_every(1h, nothing);
  inline_executor here;  // whose delayed tasks run on the timer's thread
  const int timer = here.submit_after(1ms, worker_id).get();
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(g.cancel());
  // It stays for a while, and for ever if something were left.
  const auto patience = clock::now() + 10s * test::slowness();
  while (test::threads().count(timer) != 0 && clock::now() < patience) sched_yield();
  EXPECT_EQ(test::threads().count(timer), 0U);
}

TYPED_TEST(SubmitAfter, NeedsNoThreadWhenItIsNotUsed) {
  const auto before = test::threads();
  auto pool = TypeParam::make(1);
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  // Who sleeps has the name that it gives itself.
  for (const auto& [id, name] : test::threads()) {
    while (before.count(id) == 0 && test::threads().count(id) != 0 && !test::is_asleep(id)) sched_yield();
  }
  for (const auto& [id, name] : test::threads()) {
    if (before.count(id) == 0) {
      EXPECT_EQ(name.find("tandem-timer"), std::string::npos);
    }
  }
}

TYPED_TEST(SubmitAfter, PoolsShareOneTimerThread) {
  auto one = TypeParam::make(1);
  auto other = TypeParam::make(1);
  thread_pool third({.max_workers = 1});
  const auto before = test::threads();
  std::vector<future<int>> fs;
  fs.push_back(one->submit_after(1h, add_one, 1));
  fs.push_back(other->submit_after(2h, add_one, 1));
  fs.push_back(third.submit_at(clock::now() + 3h, add_one, 1));
  auto often = third.submit_every(1h, [] {});
  int more = 0;
  for (const auto& [id, name] : test::threads()) more += before.count(id) == 0 ? 1 : 0;
  EXPECT_LE(more, 1) << "none, if that of an earlier test is still there";
  for (auto& f : fs) EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(often.cancel());
}

}  // namespace
}  // namespace tandem::contract
