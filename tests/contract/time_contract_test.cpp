// The contract of time: tasks whose time is yet to come, once or again and again.
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
#include "contract/count_until_stopped.hpp"
#include "contract/tasks.hpp"
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
template <class Backend>
class SubmitEvery : public fixture<Backend> {};
TYPED_TEST_SUITE(SubmitEvery, backends, backend_names);

void fail_in_the_third_run(std::string runs) {
  if (shared_counter(runs).add() == 3) throw std::out_of_range("the third run");
}
long long now_in_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now().time_since_epoch()).count();
}
int run_until_opened(std::string runs, std::string gate) {
  shared_counter(runs).add();
  return pass(gate);
}
bool has_timer_thread() {
  for (const auto& [id, name] : test::threads()) {
    if (name.find("tandem-timer") != std::string::npos) return true;
  }
  return false;
}
void overlap(std::string running, std::string overlaps, std::string runs) {
  if (shared_counter(running).add() != 1) shared_counter(overlaps).add();
  const auto end = clock::now() + 5ms;  // several periods
  while (clock::now() < end) sched_yield();
  shared_counter(running).add(-1);
  shared_counter(runs).add();
}

// --- later -----------------------------------------------------------------------------------------------------------

TYPED_TEST(SubmitAfter, RunsTheTaskWhenItsTimeHasComeAndNotBefore) {
  auto pool = TypeParam::make(1);
  const auto begin = now_in_nanoseconds();
  auto f = pool->submit_after(30ms, now_in_nanoseconds);
  EXPECT_FALSE(f.is_ready());
  EXPECT_EQ(f.state(), future_state::pending);
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
        for (int i = 0; i < 10'000; ++i) {
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
  if (TypeParam::names_threads)
    while (!has_timer_thread()) sched_yield();  // it has yet to give itself its name
  EXPECT_TRUE(f.cancel());
  EXPECT_TRUE(g.cancel());
  if (!TypeParam::names_threads) return;  // one of its threads may have the timer's name
  // It stays for a while, and for ever if something were left.
  const auto patience = clock::now() + 10s * test::slowness();
  while (has_timer_thread() && clock::now() < patience) sched_yield();
  EXPECT_FALSE(has_timer_thread());
}

TYPED_TEST(SubmitAfter, NeedsNoThreadWhenItIsNotUsed) {
  auto pool = TypeParam::make(1);
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  EXPECT_FALSE(TypeParam::names_threads && has_timer_thread());
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

// --- again and again -------------------------------------------------------------------------------------------------

TYPED_TEST(SubmitEvery, RunsUntilItIsCancelled) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit_every(1ms, count, this->path("runs"));
  this->counter("runs").wait_for(5);
  EXPECT_EQ(f.state(), future_state::pending);
  EXPECT_TRUE(f.cancel());
  EXPECT_THROW(f.get(), cancelled_error);
  pool->shutdown();  // a run that was under way
  const int runs = this->counter("runs").value();
  auto other = TypeParam::make(1);
  EXPECT_EQ(other->submit_after(10ms, add_one, 1).get(), 2);
  EXPECT_EQ(this->counter("runs").value(), runs) << "none comes behind";
}

TYPED_TEST(SubmitEvery, FirstRunIsOnePeriodFromNow) {
  auto pool = TypeParam::make(1);
  const auto begin = clock::now();
  auto f = pool->submit_every(30ms, count, this->path("runs"));
  this->counter("runs").wait_for(1);
  EXPECT_GE(clock::now() - begin, 30ms);
  this->counter("runs").wait_for(3);
  EXPECT_GE(clock::now() - begin, 90ms) << "no run may come before its multiple of the period";
  f.cancel();
}

TYPED_TEST(SubmitEvery, NeverOverlapsItself) {
  auto pool = TypeParam::make(3);
  auto f =
      pool->submit_every(1ms, overlap, this->path("running"), this->path("overlaps"), this->path("runs"));
  this->counter("runs").wait_for(10);
  f.cancel();
  pool->shutdown();
  EXPECT_EQ(this->counter("overlaps").value(), 0);
}

TYPED_TEST(SubmitEvery, EndsWithWhatItsFunctionThrows) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit_every(1ms, fail_in_the_third_run, this->path("runs"));
  EXPECT_THROW(f.get(), std::out_of_range);
  pool->shutdown();
  EXPECT_EQ(this->counter("runs").value(), 3);
}

TYPED_TEST(SubmitEvery, ShutdownEndsItAndStopTokensToo) {
  auto pool = TypeParam::make(1);
  std::stop_source stop;
  auto f = pool->submit_every({.stop_token = stop.get_token()}, 1ms, count, this->path("runs"));
  auto g = pool->submit_every(1h, nothing);
  this->counter("runs").wait_for(1);
  stop.request_stop();
  EXPECT_TRUE(f.cancelled());
  auto h = pool->submit_every(1ms, count, this->path("more"));
  this->counter("more").wait_for(1);
  pool->shutdown();
  EXPECT_TRUE(g.cancelled());
  EXPECT_TRUE(h.cancelled());
}

TYPED_TEST(SubmitEvery, ShutdownDuringARunEndsIt) {
  auto pool = TypeParam::make(1);
  auto gate = this->gate();
  auto f = pool->submit_every(200ms, run_until_opened, this->path("runs"), gate.path());
  this->counter("runs").wait_for(1);
  std::thread opener;
  if (TypeParam::concurrent) {
    pool->shutdown({.wait = false});  // nothing is set at this moment
    gate.open();
  } else {
    opener = std::thread([&] { gate.open(); });  // the alarm that rings is the run: shutdown() waits for it
  }
  pool->shutdown();
  if (opener.joinable()) opener.join();
  EXPECT_TRUE(f.cancelled());
  EXPECT_EQ(this->counter("runs").value(), 1);
}

TYPED_TEST(SubmitEvery, ShutdownAsksARunThatIsUnderWayToStop) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit_every(1ms, count_until_stopped, this->path("arrivals"));
  this->counter("arrivals").wait_for(1);
  pool->shutdown();
  EXPECT_TRUE(f.cancelled());
  EXPECT_EQ(this->counter("arrivals").value(), 2) << "the run has ended by itself";
}

TYPED_TEST(SubmitEvery, StopThatWasRequestedBeforeCancelsAtOnce) {
  auto pool = TypeParam::make(1);
  std::stop_source stop;
  stop.request_stop();
  auto f = pool->submit_every({.stop_token = stop.get_token()}, 1ms, count, this->path("runs"));
  EXPECT_TRUE(f.cancelled());
  pool->shutdown();
  EXPECT_THROW((void)pool->submit_every({.stop_token = stop.get_token()}, 1ms, count, this->path("runs")),
               shutdown_error);
  EXPECT_EQ(this->counter("runs").value(), 0);
}

TYPED_TEST(SubmitEvery, StopMayComeWhileItBegins) {
  auto pool = TypeParam::make(1);
  for (int i = 0; i < (TypeParam::in_process ? 300 : 30); ++i) {
    std::stop_source stop;
    std::atomic<bool> go{false};
    std::thread other([&] {
      while (!go) sched_yield();
      stop.request_stop();
    });
    go = true;
    auto f = pool->submit_every({.stop_token = stop.get_token()}, std::chrono::microseconds(50), nothing);
    other.join();
    f.wait();
    ASSERT_TRUE(f.cancelled());
  }
}

// What must not be, but must do no harm.
TYPED_TEST(SubmitEvery, RunMayOutliveItsPool) {
  if constexpr (TypeParam::in_process && TypeParam::concurrent) {
    auto pool = TypeParam::make(1);
    test::counter ran;
    auto f = pool->submit_every(1ms, [&] {
      pool.reset();
      ran.add();
    });
    f.wait();
    EXPECT_TRUE(f.cancelled());
    ran.wait_for(1);
  } else if constexpr (TypeParam::concurrent) {
    // A callback may let go of a process pool while a worker is in a run.
    auto pool = TypeParam::make(2);
    auto f = pool->submit_every(1ms, count_until_stopped, this->path("arrivals"));
    this->counter("arrivals").wait_for(1);
    auto other = pool->submit(nothing);
    other.on_done([&] { pool.reset(); });
    f.wait();
    EXPECT_TRUE(f.cancelled());
  } else {
    auto pool = TypeParam::make();
    EXPECT_FALSE(pool->submit_every(1h, nothing).is_ready());
    pool.reset();  // from outside only: a run is the timer's
  }
}

TYPED_TEST(SubmitEvery, AsksARunThatIsUnderWayToStop) {
  auto pool = TypeParam::make(1);
  auto f = pool->submit_every(1ms, count_until_stopped, this->path("arrivals"));
  this->counter("arrivals").wait_for(1);
  EXPECT_TRUE(f.cancel());
  this->counter("arrivals").wait_for(2);
}

TYPED_TEST(SubmitEvery, KeepsOneFunctionObjectInThisProcess) {
  auto pool = TypeParam::make(2);
  if constexpr (TypeParam::in_process) {
    std::vector<int> seen;
    auto f = pool->submit_every(1ms, [&seen, n = 0]() mutable {
      seen.push_back(++n);
      if (n == 4) throw std::runtime_error("enough");
    });
    f.wait();
    EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4}));
  } else {
    auto f = pool->submit_every(1ms, by_value([path = hook(this->path("runs"))] { path(); }));
    this->counter("runs").wait_for(3);
    f.cancel();
  }
}

TYPED_TEST(SubmitEvery, PeriodMustBePositive) {
  auto pool = TypeParam::make(1);
  EXPECT_THROW((void)pool->submit_every(0s, nothing), std::invalid_argument);
  EXPECT_THROW((void)pool->submit_every(-1s, nothing), std::invalid_argument);
  EXPECT_THROW((void)pool->submit_every(std::chrono::hours::max(), nothing), std::invalid_argument);
}

TYPED_TEST(SubmitEvery, MayBeCancelledAtAnyMoment) {
  auto pool = TypeParam::make(2);
  for (int i = 0; i < 50; ++i) {
    auto f = pool->submit_every(std::chrono::microseconds(200), count, this->path("runs"));
    this->counter("runs").wait_for(i + 1);
    f.cancel();
    EXPECT_TRUE(f.cancelled());
  }
}

}  // namespace
}  // namespace tandem::contract
