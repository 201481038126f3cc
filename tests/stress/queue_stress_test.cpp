// Bounds and priorities together, from a seed: many producers on a small queue, cancels, callbacks that submit, and a
// shutdown in the middle of it. Every future resolves, every value is right, and whoever waits for room is told.
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "contract/backends.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace tandem::contract {
namespace {

using namespace std::chrono_literals;

template <class Backend>
class QueueStress : public fixture<Backend> {};
TYPED_TEST_SUITE(QueueStress, backends, backend_names);

struct outcome_counts {
  std::atomic<int> values{0};
  std::atomic<int> cancelled{0};
  std::atomic<int> rejected{0};
  std::atomic<int> closed{0};
};

class producer {
 public:
  producer(executor& pool, outcome_counts& counts, unsigned number)
      : pool_(pool), counts_(counts), random_(test::seed_scope::generator(number)) {}

  void run(int tasks) {
    for (int i = 0; i < tasks; ++i) {
      try {
        step(i);
      } catch (const queue_full_error&) {
        ++counts_.rejected;
      } catch (const cancelled_error&) {  // a chunk of a map
        ++counts_.cancelled;
      } catch (const shutdown_error&) {
        ++counts_.closed;
        break;
      }
    }
    for (auto& [f, value] : expected_) {
      try {
        EXPECT_EQ(f.get(), value);
        ++counts_.values;
      } catch (const cancelled_error&) {
        ++counts_.cancelled;
      } catch (const shutdown_error&) {  // of a continuation
        ++counts_.closed;
      }
    }
  }

 private:
  struct expectation {
    future<int> f;
    int value;
  };

  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }

  void step(int i) {
    task_options options{.priority = static_cast<priority>(roll(3))};
    if (roll(8) == 0) options.submit_timeout = std::chrono::microseconds(roll(200));
    switch (roll(10)) {
      case 0: {
        auto f = pool_.submit(std::move(options), add_one, i);
        f.cancel();
        expected_.push_back({std::move(f), i + 1});
        break;
      }
      case 1:
        expected_.push_back({pool_.submit(std::move(options), add_one, i).then(pool_, add_one), i + 2});
        break;
      case 2: {
        std::stop_source stop;
        options.stop_token = stop.get_token();
        auto f = pool_.submit(std::move(options), add_one, i);
        if (roll(2) == 0) stop.request_stop();
        expected_.push_back({std::move(f), i + 1});
        break;
      }
      case 3: {
        int sum = 0;
        for (int r : pool_.imap_unordered({.chunk_size = 1, .window = 3}, add_one, std::vector<int>{1, 2, 3}))
          sum += r;
        EXPECT_EQ(sum, 9);
        break;
      }
      default:
        expected_.push_back({pool_.submit(std::move(options), add_one, i), i + 1});
    }
  }

  executor& pool_;
  outcome_counts& counts_;
  std::mt19937 random_;
  std::vector<expectation> expected_;
};

TYPED_TEST(QueueStress, EveryFutureResolvesWhateverRaces) {
  const test::seed_scope seed;
  auto random = test::seed_scope::generator(1000);
  const auto roll = [&](int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random); };
  const int rounds = (TypeParam::in_process ? 60 : 15) / test::slowness() + 1;
  for (int round = 0; round < rounds; ++round) {
    const int workers = 1 + roll(3);
    const int capacity = 1 + roll(4);
    const auto policy = static_cast<when_full>(round % 3);
    SCOPED_TRACE("round " + std::to_string(round));
    auto pool = std::make_unique<typename TypeParam::pool>(
        typename TypeParam::options{.max_workers = workers, .queue_capacity = capacity, .when_full = policy});
    outcome_counts counts;
    constexpr int producers = 4;
    constexpr int tasks = 300;
    std::atomic<int> producing{producers};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < producers; ++t) {
      threads.emplace_back([&, t, round] {
        producer(*pool, counts, static_cast<unsigned>(round) * producers + t).run(tasks);
        --producing;
      });
    }
    const int ending = roll(3);
    if (ending != 0) {
      const int when = roll(producers * tasks);
      while (pool->stats().finished < when && producing.load() > 0) std::this_thread::yield();
      pool->shutdown({.wait = roll(2) == 0, .cancel_pending = ending == 2});
    }
    for (auto& t : threads) t.join();
    pool->shutdown();
    const auto stats = pool->stats();
    EXPECT_EQ(stats.queued, 0);
    EXPECT_EQ(stats.running, 0);
    EXPECT_GE(stats.finished, counts.values);
    if (ending == 0) {
      EXPECT_EQ(counts.closed, 0);
    }
  }
}

}  // namespace
}  // namespace tandem::contract
