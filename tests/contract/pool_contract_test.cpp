// The contract of pools: how many workers, who they are, what runs at their start and end, and what stats() says.
#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include "contract/backends.hpp"
#include "contract/inputs.hpp"

namespace tandem::contract {
namespace {

template <class Backend>
class Pool : public fixture<Backend> {};
TYPED_TEST_SUITE(Pool, backends, backend_names);

template <class Options, class Pool>
std::string refusal(Options options) {
  try {
    Pool pool(std::move(options));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TYPED_TEST(Pool, HasAsManyWorkersAsThisProcessMayUseCpus) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  {
    auto pool = TypeParam::make();
    EXPECT_GE(pool->max_workers(), 1);
    EXPECT_LE(pool->max_workers(), CPU_COUNT(&all));
  }
  std::thread([&] {  // a thread of its own, for the affinity is the thread's
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
      if (CPU_COUNT(&one) == 1) break;
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    auto pool = TypeParam::make();
    EXPECT_EQ(pool->max_workers(), 1);
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  })
      .join();
}

TYPED_TEST(Pool, RefusesNegativeCountsByNameAndValue) {
  if constexpr (!TypeParam::takes_max_workers) {
    // There is nothing to choose: its one worker is the caller.
    static_assert(!std::is_constructible_v<typename TypeParam::pool, int>);
    auto pool = TypeParam::make();
    EXPECT_EQ(pool->max_workers(), 1);
    EXPECT_EQ(pool->stats().workers, 1);
  } else {
    using options = typename TypeParam::options;
    EXPECT_NE((refusal<options, typename TypeParam::pool>({.max_workers = -3}).find("max_workers is -3")),
              std::string::npos);
    EXPECT_NE(
        (refusal<options, typename TypeParam::pool>({.queue_capacity = -2}).find("queue_capacity is -2")),
        std::string::npos);
    EXPECT_EQ((refusal<options, typename TypeParam::pool>({.max_workers = 3})), "");
  }
}

TYPED_TEST(Pool, BlockedTasksUseAllWorkersAndNoMore) {
  if constexpr (!TypeParam::concurrent) {
    // Each caller is a worker for its own task.
    auto pool = TypeParam::make();
    auto gate = this->gate();
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back(
          [&] { EXPECT_EQ(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()).get(), 1); });
    }
    this->counter("arrivals").wait_for(3);
    EXPECT_EQ(pool->stats().running, 3);
    EXPECT_EQ(pool->stats().idle, 0);
    gate.open();
    for (auto& t : callers) t.join();
    EXPECT_EQ(pool->stats().finished, 3);
    return;
  }
  for (const int workers : {1, 3, 5}) {
    auto pool = TypeParam::make(workers);
    EXPECT_EQ(pool->max_workers(), workers);
    auto gate = this->gate("gate" + std::to_string(workers));
    const std::string arrivals = "arrivals" + std::to_string(workers);
    std::vector<future<int>> fs;
    for (int i = 0; i < 15 * workers; ++i)
      fs.push_back(pool->submit(arrive_and_pass, this->path(arrivals), gate.path()));
    this->counter(arrivals).wait_for(workers);
    const auto stats = pool->stats();
    EXPECT_EQ(stats.workers, workers);
    EXPECT_EQ(stats.running, workers);
    EXPECT_EQ(stats.idle, 0);
    EXPECT_EQ(stats.queued, 14 * workers);
    EXPECT_EQ(stats.per_worker.size(), static_cast<std::size_t>(workers));
    EXPECT_EQ(this->counter(arrivals).value(), workers);
    gate.open();
    for (auto& f : fs) EXPECT_EQ(f.get(), 1);
  }
}

TYPED_TEST(Pool, TasksOneAfterTheOtherUseOneWorker) {
  auto pool = TypeParam::make(4);
  std::set<int> workers;
  for (int i = 0; i < 3; ++i) workers.insert(pool->submit(worker_id).get());
  if (TypeParam::one_worker_while_idle) {
    EXPECT_EQ(workers.size(), 1U);
    EXPECT_EQ(pool->stats().workers, 1);
  } else {
    EXPECT_LE(workers.size(), 3U);  // whose threads they are is not the pool's to say
  }
}

TYPED_TEST(Pool, WorkersAreNamedForTheSystem) {
  if constexpr (!TypeParam::names_workers) {
    // Its threads are the caller's, or oneTBB's, and keep the name that they have.
    const std::string before = worker_name();
    auto pool = TypeParam::make(2);
    EXPECT_EQ(pool->submit(worker_name).get(), before);
    EXPECT_EQ(worker_name(), before);
  } else {
    using options = typename TypeParam::options;
    typename TypeParam::pool pool(options{.max_workers = 2, .name_prefix = "fetch"});
    EXPECT_EQ(pool.submit(worker_name).get(), "fetch-0");
    typename TypeParam::pool by_default(options{.max_workers = 1});
    EXPECT_EQ(by_default.submit(worker_name).get(), "tandem-0");
    typename TypeParam::pool long_name(options{.max_workers = 1, .name_prefix = "a-much-too-long-prefix"});
    EXPECT_EQ(long_name.submit(worker_name).get(), "a-much-too-lo-0");
  }
}

TYPED_TEST(Pool, InitializerAndFinalizerRunOnEveryWorkerOnce) {
  if constexpr (!TypeParam::takes_hooks) {
    // There is nobody to prepare: the tasks run on the caller's thread, with all that it has set up.
    auto pool = TypeParam::make();
    EXPECT_EQ(pool->submit(worker_id).get(), worker_id());
    std::thread([&] { EXPECT_EQ(pool->submit(worker_id).get(), worker_id()); }).join();
  } else {
    using options = typename TypeParam::options;
    constexpr int workers = 3;
    auto initialized = this->counter("initialized");
    auto finalized = this->counter("finalized");
    {
      typename TypeParam::pool pool(options{.max_workers = workers,
                                            .initializer = portable_hook(hook(this->path("initialized"))),
                                            .finalizer = portable_hook(hook(this->path("finalized")))});
      EXPECT_EQ(initialized.value(), 0) << "before there is work";
      for (int round = 0; round < 3; ++round) {
        auto gate = this->gate("gate" + std::to_string(round));
        const std::string arrivals = "arrivals" + std::to_string(round);
        std::vector<future<int>> fs;
        for (int i = 0; i < workers; ++i)
          fs.push_back(pool.submit(arrive_and_pass, this->path(arrivals), gate.path()));
        this->counter(arrivals).wait_for(workers);
        gate.open();
        for (auto& f : fs) f.get();
      }
      EXPECT_EQ(initialized.value(), workers);
      EXPECT_EQ(finalized.value(), 0) << "while the pool lives";
    }
    EXPECT_EQ(initialized.value(), workers);
    EXPECT_EQ(finalized.value(), workers);
  }
}

TYPED_TEST(Pool, ThrowingInitializerBreaksIt) {
  if constexpr (!TypeParam::takes_hooks) {
    // There is none, and nothing that a task does breaks it.
    auto pool = TypeParam::make();
    EXPECT_THROW(pool->submit(throw_out_of_range).get(), std::out_of_range);
    EXPECT_THROW(pool->submit(throw_number).get(), int);
    EXPECT_EQ(pool->submit(add_one, 1).get(), 2);
  } else {
    using options = typename TypeParam::options;
    testing::internal::CaptureStderr();
    {
      typename TypeParam::pool pool(options{.max_workers = 2,
                                            .initializer = portable_hook(hook("", true)),
                                            .finalizer = portable_hook(hook(this->path("finalized")))});
      std::vector<future<int>> fs;
      try {
        for (int i = 0; i < 10; ++i) fs.push_back(pool.submit(count, this->path("ran")));
      } catch (const broken_pool_error&) {  // broken by the time that the later ones came
      }
      ASSERT_FALSE(fs.empty());
      for (auto& f : fs) {
        try {
          f.get();
          ADD_FAILURE() << "a task ran";
        } catch (const broken_pool_error& e) {
          EXPECT_NE(std::string(e.what()).find("the hook throws"), std::string::npos) << e.what();
        }
      }
      EXPECT_THROW(pool.submit(add_one, 1), broken_pool_error);
      EXPECT_THROW(pool.map(add_one, first_ints(3)), broken_pool_error);
    }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("the hook throws"), std::string::npos);
    EXPECT_EQ(this->counter("ran").value(), 0);
    EXPECT_EQ(this->counter("finalized").value(), 0);
  }
}

TYPED_TEST(Pool, StatsCountWhatTheFuturesTell) {
  auto pool = TypeParam::make(2);
  for (int i = 0; i < 10; ++i) (void)pool->submit(add_one, i).get();
  for (int i = 0; i < 3; ++i) EXPECT_THROW(pool->submit(throw_out_of_range).get(), std::out_of_range);
  auto stats = pool->stats();
  EXPECT_EQ(stats.finished, 13);
  EXPECT_EQ(stats.failed, 3);
  EXPECT_EQ(stats.cancelled, 0);
  EXPECT_EQ(stats.running, 0);
  EXPECT_EQ(stats.queued, 0);
  if (!TypeParam::concurrent) return;
  auto gate = this->gate();
  std::vector<future<int>> blockers;
  for (int i = 0; i < 2; ++i)
    blockers.push_back(pool->submit(arrive_and_pass, this->path("arrivals"), gate.path()));
  this->counter("arrivals").wait_for(2);
  auto pending = pool->submit(add_one, 1);
  EXPECT_TRUE(pending.cancel());
  gate.open();
  pool->shutdown();
  stats = pool->stats();
  EXPECT_EQ(stats.finished, 15);
  EXPECT_EQ(stats.cancelled, 1);
  EXPECT_EQ(stats.workers, 0);
  EXPECT_TRUE(stats.per_worker.empty());
}

TYPED_TEST(Pool, TasksMayWaitForTasksToAnyDepthWithOneWorker) {
  if constexpr (!TypeParam::in_process) {
    // A task in another process does not see its pool. It may wait for one of its own.
    auto pool = TypeParam::make(1);
    auto f = pool->submit(
        [](int x) {
          auto own = TypeParam::make(1);
          return own->submit(add_one, x).get();
        },
        1);
    EXPECT_EQ(f.get(), 2);
  } else {
    auto pool = TypeParam::make(1);
    struct nest {
      static int down(executor& pool, int depth) {
        if (depth == 0) return 0;
        if (depth % 3 == 0) {
          auto f = pool.submit([&pool, depth] { return down(pool, depth - 1); });
          return f.get() + 1;
        }
        std::vector<future<int>> fs;
        fs.push_back(pool.submit([&pool, depth] { return down(pool, depth - 1); }));
        fs.push_back(pool.submit([] { return 0; }));
        if (depth % 3 == 1) {
          EXPECT_EQ(wait(fs).done.size(), 2U);
          return fs[0].get() + fs[1].get() + 1;
        }
        int sum = 1;
        for (auto& f : as_completed(fs)) sum += f.get();
        return sum;
      }
    };
    EXPECT_EQ(pool->submit([&pool] { return nest::down(*pool, 100); }).get(), 100);
  }
}

TYPED_TEST(Pool, ManyMayLiveAndBeMadeAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      auto one = TypeParam::make(2);
      auto two = TypeParam::make(1);
      std::vector<future<int>> fs;
      for (int i = 0; i < 50; ++i) {
        fs.push_back(one->submit(add_one, i));
        fs.push_back(two->submit(add_one, i));
      }
      for (int i = 0; i < 100; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].get(), i / 2 + 1);
    });
  }
  for (auto& t : threads) t.join();
}

}  // namespace
}  // namespace tandem::contract
