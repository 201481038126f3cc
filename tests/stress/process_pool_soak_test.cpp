// Tasks in millions while a random worker is killed every 50 ms: each future resolves exactly once, each value is right, no
// kill costs more than one task, and nothing grows. As many tasks as TANDEM_SOAK_OPERATIONS says.
#include "faults/tasks.hpp"
#include "support/processes.hpp"
#include "support/rounds.hpp"
#include "support/seed.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::test::seed_scope;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps_freed_memory = true;  // to find who still uses it
#else
constexpr bool keeps_freed_memory = false;
#endif

/// Kills one of the pool's workers every 50 ms.
class killer {
 public:
  explicit killer(process_pool& pool) : pool_(pool), thread_([this] { run(); }) {}
  killer(const killer&) = delete;
  killer& operator=(const killer&) = delete;
  ~killer() {
    {
      const std::lock_guard held(mutex_);
      stopped_ = true;
    }
    stop_.notify_one();
    thread_.join();
  }
  [[nodiscard]] long kills() const {
    const std::lock_guard held(mutex_);
    return kills_;
  }

 private:
  void run() {
    std::unique_lock held(mutex_);
    while (!stop_.wait_for(held, 50ms, [this] { return stopped_; })) kill_one();
  }

  void kill_one() {
    const auto rows = pool_.stats().per_worker;
    if (rows.empty()) return;
    const int pid = rows[random_() % rows.size()].pid;
    if (pid > 0 && kill(pid, SIGKILL) == 0) ++kills_;
  }

  process_pool& pool_;
  std::mt19937 random_ = seed_scope::generator(1);
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable stop_;
  bool stopped_ = false;
  long kills_ = 0;
  std::thread thread_;
};

struct footprint {
  std::size_t descriptors = tandem::test::descriptors().size();
  long resident = tandem::test::resident_kibibytes();
};

// Some microseconds of work, so that the workers are hardly ever found waiting.
std::int64_t square(std::int64_t n) {
  volatile std::int64_t sum = 0;
  for (int i = 0; i < 2000; ++i) sum = sum + n;
  return sum / 2000 * n;
}

std::vector<std::int64_t> squares_up_to(std::int64_t n) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) all[static_cast<std::size_t>(i)] = i * i;
  return all;
}

constexpr std::int64_t window = 5000;

/// How often each future of a window has resolved.
struct resolutions {
  std::vector<std::atomic<int>> times = std::vector<std::atomic<int>>(window);
  std::atomic<std::int64_t> all{0};

  void add(std::size_t i) {
    ++times[i];
    if (++all == window) all.notify_one();
  }
  // A callback may run a little later than whoever waits for the future.
  void wait() const {
    for (std::int64_t now = all; now < window; now = all) all.wait(now);
  }
};

class Soak : public testing::Test {
 protected:
  // Numbers [from, from + window), one task each: every third one may be tried again.
  void run_window(process_pool& pool, std::int64_t from) {
    std::vector<tandem::future<std::int64_t>> tasks;
    const auto resolved = std::make_shared<resolutions>();
    tasks.reserve(window);
    for (std::int64_t i = 0; i < window; ++i) {
      auto task =
          i % 3 == 0 ? pool.submit({.retries = 100}, square, from + i) : pool.submit(square, from + i);
      task.on_done([resolved, i](auto&) { resolved->add(static_cast<std::size_t>(i)); });
      tasks.push_back(std::move(task));
    }
    auto large = pool.submit({.retries = 100}, squares_up_to, std::int64_t{40'000});
    for (std::int64_t i = 0; i < window; ++i) check(tasks[static_cast<std::size_t>(i)], from + i, i % 3 == 0);
    EXPECT_EQ(large.get(), squares_up_to(40'000));
    resolved->wait();
    for (const auto& times : resolved->times) ASSERT_EQ(times, 1);
  }

  void check(tandem::future<std::int64_t>& task, std::int64_t n, bool retried) {
    try {
      ASSERT_EQ(task.get(), n * n);
    } catch (const tandem::worker_died_error& e) {
      ASSERT_FALSE(retried) << e.what();
      ++died_;
    }
  }

  long died_ = 0;
};

TEST_F(Soak, LosesAtMostOneTaskForEachWorkerThatIsKilled) {
  const seed_scope seed;
  const std::int64_t all = std::max<std::int64_t>(4 * window, tandem::test::soak_operations(400'000));
  const auto begin = std::chrono::steady_clock::now();
  process_pool pool({.max_workers = 2});
  long kills = 0;
  footprint before;
  footprint after;
  {
    const killer thread(pool);
    for (std::int64_t from = 0; from < all && !HasFatalFailure(); from += window) {
      run_window(pool, from);
      // What there is once is there now: what is kept for later use, too.
      if (from == all / 4 / window * window) before = footprint();
    }
    after = footprint();
    kills = thread.kills();
  }
  EXPECT_LE(died_, kills);
  EXPECT_LE(after.descriptors, before.descriptors + 8);  // a worker less or more at the moment
  if (!keeps_freed_memory) {
    EXPECT_LT(after.resident - before.resident, 16 * 1024);
  }
  const auto stats = pool.stats();
  EXPECT_LE(stats.restarts, kills);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::fprintf(stderr,
               "%lld tasks in %.1f s, %ld workers killed, %ld tasks lost; descriptors %zu -> %zu, memory %ld "
               "-> %ld KiB\n",
               static_cast<long long>(all), took.count(), kills, died_, before.descriptors, after.descriptors,
               before.resident, after.resident);
}

}  // namespace
