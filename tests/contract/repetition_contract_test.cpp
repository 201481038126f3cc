// The contract of submit_every(): when the runs of a repeated task come, and what ends them.
#include <tandem/tandem.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/count_until_stopped.hpp"
#include "contract/tasks.hpp"
#include "support/gate.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

template <class Backend>
class SubmitEvery : public fixture<Backend> {};
TYPED_TEST_SUITE(SubmitEvery, backends, backend_names);

void fail_in_the_third_run(std::string runs) {
  if (shared_counter(runs).add() == 3) throw std::out_of_range("the third run");
}
int run_until_opened(std::string runs, std::string gate) {
  shared_counter(runs).add();
  return pass(gate);
}
void overlap(std::string running, std::string overlaps, std::string runs) {
  if (shared_counter(running).add() != 1) shared_counter(overlaps).add();
  const auto end = clock::now() + 5ms;  // several periods
  while (clock::now() < end) sched_yield();
  shared_counter(running).add(-1);
  shared_counter(runs).add();
}

// Tells that it has begun, then takes its time.
void run_for(std::chrono::nanoseconds time, const std::string& runs, int slow_ones) {
  const auto end = clock::now() + time;
  if (shared_counter(runs).add() > slow_ones) return;
  while (clock::now() < end) sched_yield();
}
void take_three_quarters(long long period, std::string runs) {
  run_for(std::chrono::nanoseconds(period) * 3 / 4, runs, std::numeric_limits<int>::max());
}
void take_ten_the_first_time(long long period, std::string runs) {
  run_for(std::chrono::nanoseconds(period) * 10, runs, 1);
}

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

// How long after the call the n-th run began, in periods. A busy machine may be late at any time; with longer and longer
// periods that is less and less of one, and one attempt before `late` is enough.
template <class Attempt>
double shortest(double late, Attempt attempt) {
  double best = std::numeric_limits<double>::max();
  for (auto period = 10ms; period < 1s && best >= late; period *= 4) best = std::min(best, attempt(period));
  return best;
}

TYPED_TEST(SubmitEvery, DoesNotDriftThoughRunsTakeMostOfAPeriod) {
  auto pool = TypeParam::make(1);
  pool->submit(nothing).get();  // a worker is there
  int attempts = 0;
  const double fifth = shortest(6, [&](std::chrono::nanoseconds period) {
    const std::string runs = "runs" + std::to_string(++attempts);
    const auto begin = clock::now();
    auto f = pool->submit_every(period, take_three_quarters, period.count(), this->path(runs));
    this->counter(runs).wait_for(5);
    const std::chrono::duration<double> took = clock::now() - begin;
    f.cancel();
    return took / period;
  });
  EXPECT_GE(fifth, 5) << "no run may come before its multiple of the period";
  EXPECT_LT(fifth, 6) << "one period behind the end of the run before, it would have come at 8";
}

TYPED_TEST(SubmitEvery, RunsThatAreLeftOutAreNotMadeUpFor) {
  auto pool = TypeParam::make(1);
  pool->submit(nothing).get();  // a worker is there
  int attempts = 0;
  // The first one begins at 1 and ends at 11; the others can come from 12 on.
  const double fifth = shortest(16, [&](std::chrono::nanoseconds period) {
    const std::string runs = "runs" + std::to_string(++attempts);
    const auto begin = clock::now();
    auto f = pool->submit_every(period, take_ten_the_first_time, period.count(), this->path(runs));
    this->counter(runs).wait_for(5);
    const std::chrono::duration<double> took = clock::now() - begin;
    f.cancel();
    EXPECT_GE(took / period, 15) << "a burst";
    return took / period;
  });
  EXPECT_LT(fifth, 16) << "the next multiple of the period has been left out, too";
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
    test::gate submitted;
    test::counter ran;
    auto f = pool->submit_every(1ms, [&] {
      submitted.wait();  // nobody is in a member of what goes
      pool.reset();
      ran.add();
    });
    submitted.open();
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
