// parallel_invoke: who calls what, and what becomes of exceptions.
#include <tandem/task_group.hpp>

#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using tandem::parallel_invoke;
using tandem::task_group;
using tandem::thread_pool;

long fib_invoke(int n) {
  if (n < 2) return n;
  long a = 0;
  long b = 0;
  parallel_invoke([&] { a = fib_invoke(n - 1); }, [&] { b = fib_invoke(n - 2); });
  return a + b;
}

long fib_group(int n) {
  if (n < 2) return n;
  long a = 0;
  task_group group;
  group.run([&] { a = fib_group(n - 1); });
  const long b = fib_group(n - 2);
  group.wait();
  return a + b;
}

// What a task has left in its worker's hands is seen by nobody who waits: so go on when both have come.
class meeting {
 public:
  explicit meeting(int n) : all_(n) {}
  void operator()() { all_.arrive_and_wait(); }

 private:
  std::latch all_;
};

TEST(ParallelInvoke, GivesTheSerialResultForAnyNumberOfWorkers) {
  for (const int workers : {1, 2, 3, 8}) {
    thread_pool pool({.max_workers = workers});
    EXPECT_EQ(pool.submit(fib_invoke, 20).get(), 6765) << workers;
    EXPECT_EQ(pool.submit(fib_group, 18).get(), 2584) << workers;
  }
}

TEST(ParallelInvoke, RunsItsFunctionsAtTheSameTime) {
  thread_pool pool({.max_workers = 3});
  meeting all(3);
  parallel_invoke(pool, all, all, all);
}

TEST(ParallelInvoke, FromOutsideRunsAllOfThemInThePool) {
  thread_pool pool({.max_workers = 2});
  std::array<int, 4> index{};
  parallel_invoke(
      pool, [&] { index[0] = tandem::this_task::worker_index(); },
      [&] { index[1] = tandem::this_task::worker_index(); },
      [&] { index[2] = tandem::this_task::worker_index(); },
      [&] { index[3] = tandem::this_task::worker_index(); });
  for (const int i : index) EXPECT_GE(i, 0);
}

TEST(ParallelInvoke, WithoutAPoolCallsOneAfterTheOther) {
  std::string order;
  parallel_invoke([&] { order += 'a'; }, [&] { order += 'b'; }, [&] { order += 'c'; });
  EXPECT_EQ(order, "abc");
  order.clear();
  parallel_invoke([&] { order += 'a'; });
  EXPECT_EQ(order, "a");
}

TEST(ParallelInvoke, OnAnotherPoolThanTheCallersUsesThatPool) {
  thread_pool outer({.max_workers = 1, .name_prefix = "outer"});
  thread_pool inner({.max_workers = 1, .name_prefix = "inner"});
  std::mutex mutex;
  std::set<std::thread::id> ids;
  const auto note = [&] {
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  };
  outer.submit([&] { parallel_invoke(inner, note, note); }).get();
  const auto inner_id = inner.submit([] { return std::this_thread::get_id(); }).get();
  EXPECT_EQ(ids, std::set{inner_id});
}

TEST(ParallelInvoke, ThrowsTheFirstFunctionsExceptionBehindTheOthers) {
  thread_pool pool({.max_workers = 2});
  std::atomic<bool> other_is_out{false};
  std::latch both(2);
  const auto first = [&] {
    both.arrive_and_wait();
    throw std::runtime_error("first");
  };
  const auto other = [&] {
    both.arrive_and_wait();
    while (!tandem::this_task::stop_requested()) std::this_thread::yield();
    other_is_out = true;
  };
  try {
    parallel_invoke(pool, first, other);
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "first");
    EXPECT_TRUE(other_is_out) << "it was asked to stop and awaited";
  }
}

TEST(ParallelInvoke, ThrowsWhatAStolenFunctionThrows) {
  thread_pool pool({.max_workers = 2});
  meeting both(2);
  EXPECT_THROW(parallel_invoke(
                   pool, [&] { both(); },
                   [&] {
                     both();
                     throw std::out_of_range("there");
                   }),
               std::out_of_range);
}

TEST(ParallelInvoke, DoesNotCallWhatHasNotBegunBehindAnException) {
  thread_pool pool({.max_workers = 1});
  int called = 0;
  EXPECT_THROW(parallel_invoke(
                   pool, [] { throw 1; }, [&] { ++called; }, [&] { ++called; }),
               int);
  EXPECT_EQ(called, 0);
  EXPECT_THROW(parallel_invoke(
                   pool, [&] { ++called; }, [] { throw 1; }, [&] { ++called; }),
               int);
  EXPECT_EQ(called, 1);
}

TEST(ParallelInvoke, NeitherCopiesNorMovesItsFunctions) {
  struct pinned {
    pinned() = default;
    pinned(const pinned&) = delete;
    int called = 0;
    void operator()() { ++called; }
  };
  thread_pool pool({.max_workers = 2});
  pinned a;
  pinned b;
  parallel_invoke(pool, a, b);
  parallel_invoke(a, b);
  EXPECT_EQ(a.called + b.called, 4);
}

TEST(ParallelInvoke, AStolenFunctionIsInTheSameTask) {
  thread_pool pool({.max_workers = 2});
  std::latch both(2);
  std::array<int, 2> attempts{};
  std::array<std::stop_token, 2> tokens;
  const auto look = [&](std::size_t i) {
    both.arrive_and_wait();
    attempts[i] = tandem::this_task::attempt();
    tokens[i] = tandem::this_task::stop_token();
    EXPECT_TRUE(tokens[i].stop_possible());
  };
  pool.submit([&] { parallel_invoke([&] { look(0); }, [&] { look(1); }); }).get();
  EXPECT_EQ(attempts, (std::array{1, 1}));
  EXPECT_EQ(tokens[0], tokens[1]);
}

TEST(ParallelInvoke, CancellingTheTaskAsksStolenFunctionsToStop) {
  thread_pool pool({.max_workers = 2});
  meeting begun(3);
  const auto until_stopped = [&] {
    begun();
    while (!tandem::this_task::stop_requested()) std::this_thread::yield();
  };
  auto task = pool.submit([&] { parallel_invoke(until_stopped, until_stopped); });
  begun();
  EXPECT_FALSE(task.cancel());
  task.get();
}

// A thread that was started for what an initializer has forked would fork in its own initializer, and so on for ever.
void expect_no_thread_for_an_initializer(bool blocks) {
  std::atomic<bool> is_closed{false};
  std::atomic<int> calls{0};
  thread_pool pool({.max_workers = 2, .initializer = [&] {
                      is_closed.wait(false);
                      const int mine = ++calls;
                      if (mine > 50) return;  // it has been shown
                      parallel_invoke(
                          [&] {  // until somebody has come, if anybody does
                            std::optional<tandem::this_task::blocking_region> blocked;
                            if (blocks) blocked.emplace();
                            const auto until = std::chrono::steady_clock::now() + 20ms;
                            while (calls == mine && std::chrono::steady_clock::now() < until) sched_yield();
                          },
                          [] {}, [] {}, [] {});
                    }});
  auto task = pool.submit([] { return 1; });
  pool.shutdown({.wait = false});
  is_closed = true;
  is_closed.notify_all();
  EXPECT_EQ(task.get(), 1);
  pool.shutdown();
  EXPECT_EQ(calls, 1);
}

TEST(InitializerOfAPoolThatEnds, StartsNoThreadForWhatItForks) { expect_no_thread_for_an_initializer(false); }

TEST(InitializerOfAPoolThatEnds, StartsNoThreadForWhatItForksAndLeavesForAWhile) {
  expect_no_thread_for_an_initializer(true);
}

TEST(ParallelInvoke, MayBeCalledInInitializerFinalizerAndCallback) {
  for (const int workers : {1, 3}) {
    std::atomic<int> initialized{0};
    std::atomic<int> finalized{0};
    std::atomic<int> called_back{0};
    const auto use = [](std::atomic<int>& times) {
      EXPECT_EQ(fib_invoke(10), 55);
      EXPECT_EQ(fib_group(10), 55);
      ++times;
    };
    {
      thread_pool pool({.max_workers = workers,
                        .initializer = [&] { use(initialized); },
                        .finalizer = [&] { use(finalized); }});
      std::latch all(workers);
      std::vector<tandem::future<void>> tasks;
      for (int i = 0; i < workers; ++i) {
        tasks.push_back(pool.submit([&] { all.arrive_and_wait(); }));
        tasks.back().on_done([&](const auto&) { use(called_back); });
      }
    }
    EXPECT_GE(initialized, workers);
    EXPECT_EQ(finalized, initialized);
    EXPECT_EQ(called_back, workers);
  }
}

// Those that have no room in the deque are called by whoever forks them.
TEST(ParallelInvoke, MayBeNestedDeeperThanTheDequeIsLong) {
  thread_pool pool({.max_workers = 2, .stack_size = 64 << 20});
  struct nest {
    std::atomic<int>& leaves;
    void operator()(int depth) const {
      if (depth == 0) return;
      parallel_invoke([&] { (*this)(depth - 1); }, [&] { ++leaves; });
    }
  };
  std::atomic<int> leaves{0};
  pool.submit(nest{leaves}, 5000).get();
  EXPECT_EQ(leaves, 5000);
}

// The waiting worker holds a lock that another task wants: it may run nothing but what it waits for.
TEST(ParallelInvoke, AWaitingWorkerRunsNothingElse) {
  thread_pool pool({.max_workers = 2});
  std::mutex mutex;
  for (int round = 0; round < 200; ++round) {
    const auto locks_and_waits = [&] {
      const std::lock_guard lock(mutex);
      std::atomic<int> here{0};
      parallel_invoke([&] { ++here; },
                      [&] {
                        fib_invoke(8);
                        ++here;
                      },
                      [&] { ++here; });
      EXPECT_EQ(here, 3);
    };
    parallel_invoke(
        pool, locks_and_waits, locks_and_waits, [&] { fib_invoke(10); }, locks_and_waits);
  }
}

}  // namespace
