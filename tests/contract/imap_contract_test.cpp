// The contract of imap and imap_unordered.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <list>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "contract/count_until_stopped.hpp"
#include "contract/inputs.hpp"
#include "support/asleep.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class Imap : public fixture<Backend> {};
TYPED_TEST_SUITE(Imap, backends, backend_names);

template <class Range>
auto collect(Range&& range) {
  std::vector<std::iter_value_t<decltype(range.begin())>> all;
  for (auto& r : range) all.push_back(std::move(r));
  return all;
}

int pass_at_two(std::string gate, int x) {
  if (x == 2) shared_counter(gate).wait_for(1);
  return x;
}

TYPED_TEST(Imap, GivesTheSerialResultsInOrder) {
  auto pool = TypeParam::make(2);
  const std::vector<int> xs = first_ints(1000);
  std::vector<long long> expected;
  for (const int x : xs) expected.push_back(square(x));
  for (const int chunk : {0, 1, 3, 5000}) {
    EXPECT_EQ(collect(pool->imap({.chunk_size = chunk}, square, xs)), expected) << chunk;
    EXPECT_EQ(collect(pool->imap({.chunk_size = chunk, .window = 7}, square, xs)), expected) << chunk;
  }
}

TYPED_TEST(Imap, UnorderedGivesEachResultOnce) {
  auto pool = TypeParam::make(2);
  const std::vector<int> xs = first_ints(1000);
  std::vector<long long> expected;
  for (const int x : xs) expected.push_back(square(x));
  for (const int chunk : {0, 1, 3, 5000}) {
    auto all = collect(pool->imap_unordered({.chunk_size = chunk}, square, xs));
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, expected) << chunk;
  }
}

TYPED_TEST(Imap, UnorderedDoesNotWaitForASlowItem) {
  if constexpr (!TypeParam::concurrent) {
    // The items run one after the other, and come so.
    auto pool = TypeParam::make();
    this->counter("gate").add();
    const std::vector<std::string> gates(20, this->path("gate"));
    EXPECT_EQ(
        collect(pool->imap_unordered({.chunk_size = 1, .window = 20}, pass_at_two, gates, first_ints(20))),
        first_ints(20));
    return;
  }
  auto pool = TypeParam::make(2);
  auto gate = this->gate();
  const std::vector<std::string> gates(20, gate.path());
  auto results = pool->imap_unordered({.chunk_size = 1, .window = 20}, pass_at_two, gates, first_ints(20));
  auto it = results.begin();
  std::vector<int> before;
  for (int i = 0; i < 19; ++i, ++it) before.push_back(*it);
  EXPECT_EQ(std::count(before.begin(), before.end(), 2), 0);
  gate.open();
  EXPECT_EQ(*it, 2);
  ++it;
  EXPECT_EQ(it, results.end());
}

TYPED_TEST(Imap, ZipsRangesAndRunsFunctionsThatReturnNothing) {
  auto pool = TypeParam::make(2);
  EXPECT_EQ(collect(pool->imap(add, std::vector<int>{1, 2, 3}, std::list<int>{10, 20})),
            (std::vector<int>{11, 22}));
  EXPECT_EQ(collect(pool->imap([](std::string counter) { test::shared_counter(counter).add(); },
                               std::vector<std::string>(5, this->path("ran"))))
                .size(),
            5U);
  EXPECT_EQ(this->counter("ran").value(), 5);
}

TYPED_TEST(Imap, ThirdItemThrowsInItsPlaceAndIterationGoesOn) {
  auto pool = TypeParam::make(2);
  const std::vector<int> xs{1, 2, 3, 4, 5};
  for (const int chunk : {0, 1, 2, 3, 100}) {
    auto results = pool->imap({.chunk_size = chunk}, fail_at_three, xs);
    auto it = results.begin();
    EXPECT_EQ(*it, 10);
    EXPECT_EQ(*++it, 20);
    ++it;
    EXPECT_THROW((void)*it, std::out_of_range);
    EXPECT_THROW((void)*it, std::out_of_range) << "again, as long as one stays";
    EXPECT_EQ(*++it, 40);
    EXPECT_EQ(*++it, 50);
    EXPECT_EQ(++it, results.end());

    int thrown = 0;
    std::vector<int> values;
    auto unordered = pool->imap_unordered({.chunk_size = chunk}, fail_at_three, xs);
    for (auto i = unordered.begin(); i != unordered.end(); ++i) {
      try {
        values.push_back(*i);
      } catch (const std::out_of_range&) {
        ++thrown;
      }
    }
    std::sort(values.begin(), values.end());
    EXPECT_EQ(values, (std::vector<int>{10, 20, 40, 50}));
    EXPECT_EQ(thrown, 1);
  }
}

TYPED_TEST(Imap, TakesNoMoreInputsThanTheWindow) {
  auto pool = TypeParam::make(2);
  for (const int chunk : {0, 1, 3, 100}) {
    {
      ints_until inputs(1000);
      auto results = pool->imap({.chunk_size = chunk, .window = 5}, add_one, inputs);
      EXPECT_LE(inputs.read(), 5) << "never iterated";
      auto it = results.begin();
      for (int i = 0; i < 20; ++i, ++it) {
        EXPECT_EQ(*it, i + 1);
        EXPECT_LE(inputs.read(), i + 5);
      }
    }
    ints_until inputs(1000);
    auto results = pool->imap_unordered({.chunk_size = chunk, .window = 5}, add_one, inputs);
    int taken = 0;
    for (auto it = results.begin(); taken < 20; ++it, ++taken) EXPECT_LE(inputs.read(), taken + 5);
  }
}

TYPED_TEST(Imap, EndlessInputsWork) {
  auto pool = TypeParam::make(2);
  ints_until endless;
  int expected = 0;
  for (const int x : pool->imap(add_one, endless)) {
    EXPECT_EQ(x, ++expected);
    if (expected == 5000) break;
  }
  int taken = 0;
  for ([[maybe_unused]] const int x : pool->imap_unordered({.window = 10}, add_one, endless)) {
    if (++taken == 100) break;
  }
}

// The memory that this process has now, in MiB.
double resident() {
  std::istringstream statm(test::slurp("/proc/self/statm"));
  long total = 0;
  long pages = 0;
  statm >> total >> pages;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

TYPED_TEST(Imap, ManyItemsAreNotATaskEach) {
  const std::vector<int> xs = first_ints(50'000);
  for (const map_options& options :
       {map_options{}, map_options{.chunk_size = 100}, map_options{.chunk_size = 100, .window = 150},
        map_options{.window = 1000}, map_options{.chunk_size = 100, .window = 10}}) {
    auto pool = TypeParam::make(2);
    std::int64_t sum = 0;
    for (const int x : pool->imap(options, add_one, xs)) sum += x;
    for (const int x : pool->imap_unordered(options, add_one, xs)) sum += x;
    EXPECT_EQ(sum, 2 * (std::int64_t{50'000} * 50'001 / 2));
    // 100,000 items: at the most 10 each is as good as it gets with the last window.
    EXPECT_LE(pool->stats().finished, 12'000) << options.chunk_size << ", " << options.window;
  }
}

TYPED_TEST(Imap, EndlessInputsNeedNoMoreAndMoreMemory) {
  auto pool = TypeParam::make(2);
  auto endless = std::views::iota(0) | std::views::transform([](int i) {
                   return std::string(500, static_cast<char>('a' + i % 26));
                 });
  const auto end_of = [](std::string text) { return std::string(500, text.back()); };
  const int many = 200'000 / test::slowness();
  const map_options options{.chunk_size = 100, .window = 1000};
  for (const bool ordered : {true, false}) {
    double at_first = 0;
    double at_last = 0;
    int taken = 0;
    const auto take = [&](auto results) {
      for (const std::string& text : results) {
        EXPECT_EQ(text.size(), 500U);
        if (++taken == many / 10) at_first = resident();
        if (taken == many) break;
      }
      at_last = resident();
    };
    if (ordered) {
      take(pool->imap(options, end_of, endless));
    } else {
      take(pool->imap_unordered(options, end_of, endless));
    }
    // The inputs in between are 86 MiB, and so are the results. A sanitizer keeps what is freed.
    if (test::slowness() == 1) {
      EXPECT_LT(at_last - at_first, 16) << at_first;
    }
  }
}

TYPED_TEST(Imap, WakesWhenWhatItWaitsForIsCancelledByAnotherThread) {
  for (const bool ordered : {true, false}) {
    auto pool = TypeParam::make(1);
    auto gate = this->gate(ordered ? "gate1" : "gate2");
    future<int> running;
    if (TypeParam::concurrent) {
      running = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
      this->counter("arrivals").wait_for(ordered ? 1 : 2);
    }
    const auto read = [&](auto results) {
      std::thread other([&, reader = test::this_thread()] {
        if (TypeParam::concurrent) test::wait_until_asleep(reader);
        pool->shutdown({.wait = false, .cancel_pending = true});
      });
      if (!TypeParam::concurrent) other.join();
      auto it = results.begin();
      for (int i = 0; i < 3; ++i, ++it) {
        if (TypeParam::concurrent) {
          EXPECT_THROW((void)*it, cancelled_error);
        } else {
          EXPECT_EQ(*it, i + 1) << "it had run before";
        }
      }
      if (TypeParam::concurrent) {
        EXPECT_FALSE(running.is_ready());
        other.join();
      }
    };
    const map_options options{.chunk_size = 1, .window = 3};
    if (ordered) {
      read(pool->imap(options, add_one, first_ints(3)));
    } else {
      read(pool->imap_unordered(options, add_one, first_ints(3)));
    }
  }
}

TYPED_TEST(Imap, DestroyedEarlyItsWaitingItemsNeverRun) {
  if constexpr (!TypeParam::concurrent) {
    // None waits: those that the window has let in have run, the others have not been taken.
    auto pool = TypeParam::make();
    const std::vector<std::string> counters(30, this->path("ran"));
    { const auto results = pool->imap({.chunk_size = 1, .window = 10}, count, counters); }
    EXPECT_EQ(this->counter("ran").value(), 10);
    { const auto results = pool->imap_unordered({.chunk_size = 1, .window = 10}, count, counters); }
    EXPECT_EQ(this->counter("ran").value(), 20);
    return;
  }
  auto pool = TypeParam::make(1);
  const std::vector<std::string> counters(10, this->path("ran"));
  for (const bool ordered : {true, false}) {
    auto gate = this->gate(ordered ? "gate1" : "gate2");
    auto blocker = pool->submit(arrive_and_pass, this->path("arrivals"), gate.path());
    this->counter("arrivals").wait_for(ordered ? 1 : 2);
    if (ordered) {
      const auto results = pool->imap({.chunk_size = 1, .window = 10}, count, counters);
    } else {
      const auto results = pool->imap_unordered({.chunk_size = 1, .window = 10}, count, counters);
    }
    gate.open();
    EXPECT_EQ(blocker.get(), 1);
  }
  EXPECT_EQ(pool->submit(add_one, 1).get(), 2) << "behind them in the queue";
  EXPECT_EQ(this->counter("ran").value(), 0);
}

TYPED_TEST(Imap, DestroyedEarlyNothingBeginsBehindAnItemThatStopsAtOnce) {
  if constexpr (!TypeParam::concurrent) return;  // none is under way when the range is destroyed
  for (const bool ordered : {true, false}) {
    auto pool = TypeParam::make(1);
    const std::string arrivals = this->path(ordered ? "arrivals1" : "arrivals2");
    const std::vector<std::string> inputs(300, arrivals);
    {
      const map_options options{.chunk_size = 1, .window = 300};
      const auto results = ordered ? pool->imap(options, count_until_stopped, inputs)
                                   : pool->imap_unordered(options, count_until_stopped, inputs);
      shared_counter(arrivals).wait_for(1);
    }
    pool->shutdown();
    EXPECT_EQ(shared_counter(arrivals).value(), 2) << "the first one has begun and ended, and no other";
  }
}

TYPED_TEST(Imap, TimeoutGivesWhatIsDoneThenTimeoutError) {
  if constexpr (!TypeParam::concurrent) {
    // The caller itself runs the items and cannot leave them: when it looks at the clock, they are done.
    auto pool = TypeParam::make();
    this->counter("gate").add();
    const std::vector<std::string> gates(3, this->path("gate"));
    EXPECT_EQ(collect(pool->imap({.chunk_size = 1, .timeout = 0s}, pass_at_two, gates, first_ints(3))),
              first_ints(3));
    return;
  }
  auto pool = TypeParam::make(2);
  auto gate = this->gate();
  const std::vector<std::string> gates(3, gate.path());
  auto results = pool->imap({.chunk_size = 1, .timeout = 500ms}, pass_at_two, gates, first_ints(3));
  auto it = results.begin();
  EXPECT_EQ(*it, 0);
  EXPECT_EQ(*++it, 1);
  ++it;
  EXPECT_THROW((void)*it, timeout_error);
  EXPECT_THROW((void)*it, timeout_error) << "again";
  gate.open();
}

TYPED_TEST(Imap, UnorderedTimeoutGivesWhatIsDoneThenTimeoutError) {
  if constexpr (!TypeParam::concurrent) {
    auto pool = TypeParam::make();
    this->counter("gate").add();
    const std::vector<std::string> gates(3, this->path("gate"));
    EXPECT_EQ(
        collect(pool->imap_unordered({.chunk_size = 1, .timeout = 0s}, pass_at_two, gates, first_ints(3))),
        first_ints(3));
    return;
  }
  auto pool = TypeParam::make(2);
  auto gate = this->gate();
  const std::vector<std::string> gates(3, gate.path());
  auto results = pool->imap_unordered({.chunk_size = 1, .timeout = 500ms}, pass_at_two, gates, first_ints(3));
  auto it = results.begin();
  EXPECT_LT(*it, 2);
  EXPECT_LT(*++it, 2);
  ++it;
  EXPECT_THROW((void)*it, timeout_error);
  gate.open();
}

TYPED_TEST(Imap, TimeoutErrorOfATaskIsTheTasksOwn) {
  auto pool = TypeParam::make(2);
  auto results = pool->imap(
      {.chunk_size = 1, .timeout = 60s}, [](int x) { return x == 1 ? throw_own_timeout() : x; },
      first_ints(3));
  auto it = results.begin();
  EXPECT_EQ(*it, 0);
  ++it;
  try {
    (void)*it;
    FAIL() << "no timeout_error";
  } catch (const timeout_error& e) {
    EXPECT_STREQ(e.what(), "the task's own");
  }
  EXPECT_EQ(*++it, 2);
}

TYPED_TEST(Imap, InputsThatThrowDoSoInTheirPlace) {
  auto pool = TypeParam::make(2);
  for (int round = 0; round < 2; ++round) {
    for (const int chunk : {0, 1, 3}) {
      throwing_inputs broken(4);
      auto results = pool->imap({.chunk_size = chunk}, add_one, broken);
      auto it = results.begin();
      for (int i = 0; i < 4; ++i, ++it) EXPECT_EQ(*it, i + 1);
      ASSERT_NE(it, results.end());
      EXPECT_THROW((void)*it, std::domain_error);
      ++it;
      EXPECT_EQ(it, results.end());
    }
  }
}

TYPED_TEST(Imap, ResultsMayBeMovedBeforeTheyAreRead) {
  auto pool = TypeParam::make(2);
  auto results = pool->imap(add_one, first_ints(100));
  auto moved = std::move(results);
  EXPECT_EQ(collect(moved).size(), 100U);
}

TYPED_TEST(Imap, AfterShutdownIsAShutdownErrorInItsPlace) {
  auto pool = TypeParam::make(1);
  pool->shutdown();
  EXPECT_THROW(collect(pool->imap(add_one, first_ints(3))), shutdown_error);
  EXPECT_THROW(pool->map(add_one, first_ints(3)), shutdown_error);
}

}  // namespace
}  // namespace tandem::contract
