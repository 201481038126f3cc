// Everything that can be done with a pool and its futures, by several threads at once, from a seed: the table of actions
// is at the end of the class `driver`. What must hold whoever wins: every future is resolved once, its value is right,
// and nothing is alive when the pool is gone. One program per backend; what is submitted can be sent to a process.
//
// TANDEM_MIX_SECONDS runs it for so long (default 1). Each round has a seed of its own, the next number: a failure names
// it, and TANDEM_STRESS_SEED=<n> begins with that round. For a hang, the seed is told once a second.
#include <tandem/as_completed.hpp>
#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/tbb_pool.hpp>
#include <tandem/this_task.hpp>
#include <tandem/thread_pool.hpp>
#include <tandem/wait.hpp>
#include <tandem/when_all.hpp>
#include <tandem/when_any.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace std::chrono_literals;
using pool_type = TANDEM_MIX_BACKEND;
constexpr bool in_process = !std::is_same_v<pool_type, tandem::process_pool>;

// --- what tasks take, do and give ----------------------------------------------------------------------------------

// Counts the objects that are alive in this process.
struct payload {
  payload() { ++alive; }
  explicit payload(int v) : value(v) { ++alive; }
  payload(const payload& other) : value(other.value) { ++alive; }
  payload(payload&& other) noexcept : value(other.value) { ++alive; }
  payload& operator=(const payload&) = default;
  payload& operator=(payload&&) = default;
  ~payload() { --alive; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value);
  }

  int value = 0;
  static inline std::atomic<int> alive{0};
};

payload add_one(payload p) { return payload(p.value + 1); }
payload throw_it(payload p) { throw std::out_of_range(std::to_string(p.value)); }
payload die(payload p) { std::_Exit(p.value % 100); }
int twice(int x) { return 2 * x; }

// Some microseconds, less if it is asked to stop.
payload dawdle(payload p, int turns) {
  for (int i = 0; i < turns && !tandem::this_task::stop_requested(); ++i) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  return payload(p.value + 1);
}

// How a future may end.
enum outcome : unsigned {
  value = 1,
  fails = 2,      // with out_of_range
  cancelled = 4,  // by its future or its stop source
  refused = 8,    // a later step of it came when the pool was shut down already
  dies = 16,      // together with its worker
};

struct kept {
  tandem::future<payload> future;
  int result = 0;
  unsigned may = value;
};

// What all threads of a round know.
struct round_facts {
  bool racing = false;           // the pool is shut down while they are at work
  bool cancels_pending = false;  // by the shutdown: any task may be cancelled
  std::mutex mutex;              // guards what follows
  std::vector<std::pair<tandem::shared_future<payload>, int>> shared;
};

// --- one thread of a round -----------------------------------------------------------------------------------------

class driver {
 public:
  driver(pool_type& pool, round_facts& facts, std::mt19937 random)
      : pool_(pool), facts_(facts), random_(random) {}

  // While the pool lives.
  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      try {
        one_of_the_actions();
      } catch (const tandem::shutdown_error&) {
        EXPECT_TRUE(facts_.racing);
      } catch (const tandem::cancelled_error&) {  // of a map
        EXPECT_TRUE(facts_.cancels_pending);
      }
    }
  }

  // When the pool is gone: all is resolved.
  void check_all() {
    for (kept& k : kept_) {
      EXPECT_TRUE(k.future.is_ready());
      check(k);
    }
    kept_.clear();
    for (const auto& count : resolved_) EXPECT_EQ(count, 1);
  }

 private:
  int roll(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  // From now on it is an error if `f` is not resolved, or is twice.
  template <class Future>
  void watch(Future& f) {
    std::atomic<int>& count = resolved_.emplace_back(0);
    f.on_done([&count] { ++count; });
  }

  void keep(tandem::future<payload> f, int result, unsigned may) {
    watch(f);
    kept_.push_back({std::move(f), result, may});
  }

  // The future's get(); blocks until it is resolved.
  void check(kept& k) {
    unsigned was = value;
    try {
      EXPECT_EQ(k.future.get().value, k.result);
    } catch (const std::out_of_range& error) {
      was = fails;
      EXPECT_EQ(error.what(), std::to_string(k.result));
    } catch (const tandem::cancelled_error&) {
      was = facts_.cancels_pending ? k.may : cancelled;
    } catch (const tandem::shutdown_error&) {
      was = refused;
    } catch (const tandem::worker_died_error&) {
      was = dies;
    } catch (const std::future_error&) {  // its setter was a task that was cancelled
      was = k.may & cancelled;
    }
    EXPECT_NE(was & k.may, 0U) << "it ended as " << was << ", but may only end as " << k.may;
    EXPECT_TRUE(k.future.is_ready());
  }

  std::vector<kept> take(int most) {
    std::vector<kept> some;
    while (!kept_.empty() && most-- > 0) {
      std::swap(kept_[static_cast<std::size_t>(roll(static_cast<int>(kept_.size())))], kept_.back());
      some.push_back(std::move(kept_.back()));
      kept_.pop_back();
    }
    return some;
  }

  void put_back(std::vector<kept> some) {
    for (kept& k : some) kept_.push_back(std::move(k));
  }

  // --- the actions ---
  void submit() { keep(pool_.submit(add_one, payload(next_)), next_ + 1, value); }
  void submit_slow() { keep(pool_.submit(dawdle, payload(next_), roll(20'000)), next_ + 1, value); }
  void submit_failing() { keep(pool_.submit(throw_it, payload(next_)), next_, fails); }
  void submit_named() { keep(pool_.submit({.name = "named"}, add_one, payload(next_)), next_ + 1, value); }

  void submit_deadly() {
    if (!in_process) keep(pool_.submit(die, payload(next_)), 0, dies);
  }

  void submit_stoppable() {
    keep(pool_.submit({.stop_token = stop_.get_token()}, dawdle, payload(next_), roll(5000)), next_ + 1,
         value | cancelled);
  }

  void request_stop() {
    stop_.request_stop();
    stop_ = std::stop_source();
  }

  void post() { pool_.post(add_one, payload(next_)); }

  void drop() {
    auto f = pool_.submit(add_one, payload(next_));
    watch(f);
  }

  void cancel() {
    for (kept& k : take(1)) {
      k.may |= cancelled;
      (void)k.future.cancel();
      kept_.push_back(std::move(k));
    }
  }

  void get() {
    for (kept& k : take(1)) check(k);
  }

  // Tasks that submit and wait for what they have submitted.
  static payload nested(tandem::executor& pool, int x, int depth) {
    auto a = pool.submit(add_one, payload(x));
    if (depth == 0) return payload(a.get().value + 1);
    auto b = pool.submit([&pool, x, depth] { return nested(pool, x, depth - 1); });
    return payload(std::max(a.get().value + 1, b.get().value));
  }

  void submit_nested() {
    if (!in_process) return;  // there is no such pool in a worker
    tandem::executor& any = pool_;
    keep(any.submit([&any, x = next_, depth = roll(4)] { return nested(any, x, depth); }), next_ + 2,
         value | refused);
  }

  void then_in_place() {
    for (kept& k : take(1)) keep(k.future.then(add_one), k.result + ((k.may & fails) != 0 ? 0 : 1), k.may);
  }

  void then_on_the_pool() {
    for (kept& k : take(1)) {
      // What it waits for fails with its own number; what succeeds is counted up.
      const int result = k.result + ((k.may & fails) != 0 ? 0 : 1);
      keep(k.future.then(pool_, add_one), result, k.may | refused);
    }
  }

  void then_whatever_happens() {
    for (kept& k : take(1)) {
      keep(k.future.then([x = next_](tandem::future<payload> f) {
        EXPECT_TRUE(f.is_ready());
        return payload(x);
      }),
           next_, value);
    }
  }

  void then_a_future() {
    for (kept& k : take(1)) {
      const int result = k.result + ((k.may & fails) != 0 ? 0 : 1);
      keep(k.future.then([&pool = pool_](payload p) { return pool.submit(add_one, p); }), result,
           k.may | refused);
    }
  }

  void wait_for_some() {
    std::vector<kept> some = take(6);
    const auto when = static_cast<tandem::return_when>(roll(3));
    const auto limit =
        roll(2) == 0 ? tandem::time_limit() : tandem::time_limit(std::chrono::microseconds(roll(300)));
    const auto result = tandem::wait(some, when, limit, &kept::future);
    EXPECT_EQ(result.done.size() + result.not_done.size(), some.size());
    if (!limit.has_value()) {
      EXPECT_EQ(result.done.empty(), some.empty());
      EXPECT_TRUE(when != tandem::return_when::all_completed || result.not_done.empty());
    }
    for (const std::size_t i : result.done) EXPECT_TRUE(some[i].future.is_ready());
    put_back(std::move(some));
  }

  void as_they_complete() {
    std::vector<kept> some = take(6);
    int left = roll(2) == 0 ? roll(6) : 6;  // sometimes left early
    for (kept& k : tandem::as_completed(some, &kept::future)) {
      EXPECT_TRUE(k.future.is_ready());
      check(k);
      if (left-- == 0) break;
    }
  }  // those that were not looked at are dropped

  void all_of_some() {
    std::vector<kept> some = take(5);
    auto all = tandem::when_all(futures_of(some));
    watch(all);
    if (roll(4) == 0 && all.cancel()) return;
    auto futures = all.get();
    ASSERT_EQ(futures.size(), some.size());
    for (std::size_t i = 0; i < some.size(); ++i) {
      EXPECT_TRUE(futures[i].is_ready());
      some[i].future = std::move(futures[i]);
      check(some[i]);
    }
  }

  void any_of_some() {
    std::vector<kept> some = take(5);
    auto any = tandem::when_any(futures_of(some));
    watch(any);
    if (roll(4) == 0 && any.cancel()) return;
    auto first = any.get();
    ASSERT_EQ(first.futures.size(), some.size());
    if (some.empty()) return;
    ASSERT_LT(first.index, some.size());
    EXPECT_TRUE(first.futures[first.index].is_ready());
    for (std::size_t i = 0; i < some.size(); ++i) some[i].future = std::move(first.futures[i]);
    put_back(std::move(some));
  }

  static std::vector<tandem::future<payload>> futures_of(std::vector<kept>& some) {
    std::vector<tandem::future<payload>> futures;
    for (kept& k : some) futures.push_back(std::move(k.future));
    return futures;
  }

  // For all threads to look at.
  void share() {
    tandem::shared_future<payload> f = pool_.submit(add_one, payload(next_)).share();
    watch(f);
    keep(f.then(add_one), next_ + 2, value);
    const std::lock_guard lock(facts_.mutex);
    facts_.shared.emplace_back(f, next_ + 1);
    if (facts_.shared.size() > 8) facts_.shared.erase(facts_.shared.begin());
  }

  void get_shared() {
    std::optional<std::pair<tandem::shared_future<payload>, int>> one;
    {
      const std::lock_guard lock(facts_.mutex);
      if (facts_.shared.empty()) return;
      one = facts_.shared[static_cast<std::size_t>(roll(static_cast<int>(facts_.shared.size())))];
    }
    EXPECT_EQ(one->first.get().value, one->second);
  }

  // Set by whoever ends a task; broken if that is cancelled before it has a callback, or by this thread.
  void promise() {
    tandem::promise<payload> p;
    auto f = p.get_future();
    if (roll(3) == 0) {
      p.set_value(payload(next_));
    } else if (roll(8) == 0) {
      keep(std::move(f), 0, cancelled);  // dropped unset
      return;
    } else {
      pool_.submit(add_one, payload(next_)).on_done([p = std::move(p), x = next_]() mutable {
        try {
          p.set_value(payload(x));
        } catch (const tandem::invalid_state_error&) {}  // our future was cancelled
      });
    }
    keep(std::move(f), next_, value);
  }

  void map() {
    const std::vector<int> xs{next_, next_ + 1, next_ + 2, next_ + 3, next_ + 4};
    const std::vector<int> results = pool_.map(twice, xs);
    for (std::size_t i = 0; i < xs.size(); ++i) EXPECT_EQ(results[i], 2 * xs[i]);
  }

  void imap() {
    const std::vector<int> xs{next_, next_ + 1, next_ + 2, next_ + 3, next_ + 4};
    std::size_t i = 0;
    const auto stop_at = static_cast<std::size_t>(roll(6));
    for (const int x : pool_.imap(twice, xs)) {
      EXPECT_EQ(x, 2 * xs[i]);
      if (++i == stop_at) break;
    }
  }

  void stats() {
    const tandem::executor_stats s = pool_.stats();
    for (const auto count : {s.queued, s.running, s.finished, s.failed, s.cancelled}) EXPECT_GE(count, 0);
    EXPECT_LE(s.idle, s.workers);
    EXPECT_LE(s.failed, s.finished);
  }

  // What a thread may do, and how often: a new kind of action is a function above and a line here.
  struct action {
    int weight;
    void (driver::*what)();
  };
  static constexpr action actions[] = {
      {20, &driver::submit},
      {6, &driver::submit_slow},
      {4, &driver::submit_failing},
      {2, &driver::submit_named},
      {1, &driver::submit_deadly},
      {6, &driver::submit_stoppable},
      {2, &driver::request_stop},
      {4, &driver::post},
      {4, &driver::drop},
      {8, &driver::cancel},
      {6, &driver::get},
      {6, &driver::submit_nested},
      {6, &driver::then_in_place},
      {6, &driver::then_on_the_pool},
      {2, &driver::then_whatever_happens},
      {3, &driver::then_a_future},
      {4, &driver::wait_for_some},
      {4, &driver::as_they_complete},
      {3, &driver::all_of_some},
      {3, &driver::any_of_some},
      {4, &driver::share},
      {4, &driver::get_shared},
      {4, &driver::promise},
      {2, &driver::map},
      {2, &driver::imap},
      {2, &driver::stats},
  };

  void one_of_the_actions() {
    static constexpr int total = [] {
      int sum = 0;
      for (const action& a : actions) sum += a.weight;
      return sum;
    }();
    next_ += 1000;
    int at = roll(total);
    for (const action& a : actions) {
      at -= a.weight;
      if (at < 0) return (this->*a.what)();
    }
  }

  pool_type& pool_;
  round_facts& facts_;
  std::mt19937 random_;
  std::deque<std::atomic<int>> resolved_;  // by watch(): how often each was
  std::vector<kept> kept_;
  std::stop_source stop_;
  int next_ = 0;
};

// --- a round -------------------------------------------------------------------------------------------------------

void run_round(unsigned seed) {
  SCOPED_TRACE("again with TANDEM_STRESS_SEED=" + std::to_string(seed));
  const auto generator = [seed](unsigned i) {
    std::seed_seq seeds{seed, i};
    return std::mt19937(seeds);
  };
  std::mt19937 random = generator(0);
  const auto roll = [&random](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  {
    round_facts facts;
    facts.racing = roll(2) == 0;
    facts.cancels_pending = roll(3) == 0;
    const int steps = 10 + roll(120);
    std::deque<driver> drivers;
    {
      pool_type pool({.max_workers = 1 + roll(4)});
      const int count = 1 + roll(3);
      for (int i = 1; i <= count; ++i) drivers.emplace_back(pool, facts, generator(static_cast<unsigned>(i)));
      std::vector<std::thread> threads;
      for (driver& d : drivers) threads.emplace_back([&d, steps] { d.run(steps); });
      const auto join = [&] {
        for (auto& t : threads) t.join();
      };
      if (!facts.racing) join();
      for (int i = facts.racing ? roll(300) : 0; i > 0; --i) std::this_thread::yield();
      pool.shutdown({.wait = roll(2) == 0, .cancel_pending = facts.cancels_pending});
      if (facts.racing) join();
      pool.shutdown();
      const tandem::executor_stats s = pool.stats();
      EXPECT_EQ(s.queued, 0);
      EXPECT_EQ(s.running, 0);
      EXPECT_EQ(s.workers, 0);
    }
    for (driver& d : drivers) d.check_all();
  }
  EXPECT_EQ(payload::alive, 0) << "something outlived its task and its future";
}

TEST(MixStress, EveryFutureIsResolvedOnceAndNothingLivesOn) {
  using clock = std::chrono::steady_clock;
  // Before a thread is started.
  const char* text = std::getenv("TANDEM_MIX_SECONDS");  // NOLINT(concurrency-mt-unsafe)
  const std::chrono::seconds duration(text != nullptr ? std::atol(text) : 1);
  tandem::test::set_test_timeout(duration + 60s);
  unsigned seed = tandem::test::stress_seed();
  const auto end = clock::now() + duration;
  auto next_report = clock::now();
  int rounds = 0;
  do {
    if (clock::now() >= next_report) {
      std::fprintf(stderr, "TANDEM_STRESS_SEED=%u\n", seed);
      next_report += 1s;
    }
    run_round(seed++);
    ++rounds;
  } while (!HasFailure() && clock::now() < end);
  RecordProperty("rounds", rounds);
  std::fprintf(stderr, "%d rounds\n", rounds);
}

}  // namespace
