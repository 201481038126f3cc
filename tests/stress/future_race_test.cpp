// The shared state's races, many times over with random timing: completion against waiters, callbacks, their
// removal, cancel and destruction. Each round checks what must hold whoever wins.
#include <tandem/as_completed.hpp>
#include <tandem/future.hpp>
#include <tandem/wait.hpp>
#include <tandem/when_all.hpp>
#include <tandem/when_any.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/manual_executor.hpp"
#include "support/seed.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace std::chrono_literals;
using tandem::test::seed_scope;

// So many rounds that a race of a few instructions is met, within seconds on two CPUs.
int rounds(int in_normal_builds) { return in_normal_builds / tandem::test::slowness(); }

// Threads that do one thing each, round after round, starting each round together. Fewer rounds if the machine has so much else to
// do that these take too long: to start together, each thread has to get a CPU.
class crew {
 public:
  // `work(i, round)` is thread i's part; thread 0 is the caller's. `check` runs between rounds, on thread 0.
  template <class Prepare, class Work, class Check>
  static void run(int threads, int rounds, Prepare prepare, Work work, Check check) {
    std::atomic<int> round{-1};
    std::atomic<int> finished{0};
    std::atomic<bool> enough{false};
    const auto member = [&](int i) {
      for (int r = 0; r < rounds; ++r) {
        for (int spins = 0; round.load() < r; ++spins) {
          if (enough.load()) return;
          if (spins > 200) std::this_thread::yield();
        }
        work(i, r);
        finished.fetch_add(1);
      }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(member, i);
    const auto latest = std::chrono::steady_clock::now() + most_time;
    for (int r = 0; r < rounds && std::chrono::steady_clock::now() < latest; ++r) {
      prepare(r);
      round.store(r);
      work(0, r);
      finished.fetch_add(1);
      while (finished.load() < threads * (r + 1)) std::this_thread::yield();
      check(r);
    }
    enough = true;
    for (auto& t : others) t.join();
  }

 private:
  static constexpr std::chrono::seconds most_time{20};
};

void dawdle(std::mt19937& random) {
  for (unsigned n = random() % 64; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
}

TEST(FutureRace, NoWakeUpIsMissedWhenManyAreReleasedTogether) {
  const seed_scope seed;
  constexpr std::size_t tasks = 100;
  constexpr int setters = 3;
  std::vector<tandem::promise<int>> promises;
  std::vector<tandem::future<int>> futures;
  std::array<std::mt19937, setters + 1> random;
  for (unsigned i = 0; i < random.size(); ++i) random[i] = seed_scope::generator(i);
  crew::run(
      setters + 1, rounds(3000),
      [&](int) {
        promises = std::vector<tandem::promise<int>>(tasks);
        futures.clear();
        for (auto& p : promises) futures.push_back(p.get_future());
      },
      [&](int i, int round) {
        if (i > 0) {
          dawdle(random[static_cast<std::size_t>(i)]);
          for (std::size_t k = static_cast<std::size_t>(i) - 1; k < tasks; k += setters) {
            promises[k].set_value(static_cast<int>(k));
          }
        } else if (round % 3 == 0) {
          EXPECT_EQ(tandem::wait(futures).done.size(), tasks);
        } else if (round % 3 == 1) {
          std::vector<bool> seen(tasks);
          for (auto& f : tandem::as_completed(futures)) {
            const auto k = static_cast<std::size_t>(f.get());
            EXPECT_FALSE(seen[k]);
            seen[k] = true;
          }
          EXPECT_EQ(std::count(seen.begin(), seen.end(), true), static_cast<std::ptrdiff_t>(tasks));
        } else {
          EXPECT_FALSE(tandem::wait(futures, tandem::return_when::first_completed).done.empty());
        }
      },
      [](int) {});
}

// The one that completes may do so at any moment of the wait for the first; none of the others ever helps it out.
TEST(FutureRace, FirstOneIsNotMissedWhileTheWaitBegins) {
  const seed_scope seed;
  constexpr std::size_t tasks = 20;
  std::vector<tandem::promise<int>> promises;
  std::vector<tandem::future<int>> futures;
  tandem::wait_result result;
  std::mt19937 random = seed_scope::generator();
  const std::exception_ptr error = std::make_exception_ptr(std::runtime_error("the one that fails"));
  crew::run(
      2, rounds(20'000),
      [&](int) {
        promises = std::vector<tandem::promise<int>>(tasks);
        futures.clear();
        for (auto& p : promises) futures.push_back(p.get_future());
      },
      [&](int i, int round) {
        if (i == 0) {
          result = wait(
              futures,
              round % 2 == 0 ? tandem::return_when::first_completed : tandem::return_when::first_exception,
              30s);
        } else {
          dawdle(random);
          if (round % 2 == 0)
            promises[0].set_value(1);
          else
            promises[0].set_exception(error);
        }
      },
      [&](int) { ASSERT_EQ(result.done, std::vector<std::size_t>{0}); });
}

TEST(FutureRace, WhenAnyAndWhenAllAreDoneOnceWhoeverComesFirst) {
  const seed_scope seed;
  constexpr int setters = 3;
  std::vector<tandem::promise<int>> promises;
  std::optional<tandem::future<tandem::when_any_result<std::vector<tandem::shared_future<int>>>>> any;
  std::optional<tandem::future<std::vector<tandem::shared_future<int>>>> all;
  std::optional<tandem::future<int>> next;
  std::vector<tandem::shared_future<int>> futures;
  std::atomic<int> called{0};
  std::array<std::mt19937, setters + 1> random;
  for (unsigned i = 0; i < random.size(); ++i) random[i] = seed_scope::generator(i);
  int cancelled = 0;
  crew::run(
      setters + 1, rounds(10'000),
      [&](int) {
        promises = std::vector<tandem::promise<int>>(setters);
        futures.clear();
        for (auto& p : promises) futures.push_back(p.get_future().share());
      },
      [&](int i, int round) {
        dawdle(random[static_cast<unsigned>(i)]);
        if (i > 0) {
          promises[static_cast<unsigned>(i) - 1].set_value(i);
          return;
        }
        any.emplace(tandem::when_any(futures));
        all.emplace(tandem::when_all(futures));
        next.emplace(futures[0].then([&](int x) { return called += x; }));
        if (round % 3 == 0 && next->cancel()) ++cancelled;
        if (round % 5 == 0) any->cancel();
      },
      [&](int round) {
        for (const auto& f : all->get()) ASSERT_TRUE(f.is_ready());
        if (!any->cancelled()) {
          const auto first = any->get();
          ASSERT_LT(first.index, futures.size());
          ASSERT_TRUE(first.futures[first.index].is_ready());
        }
        ASSERT_TRUE(next->is_ready());
        ASSERT_EQ(called, round + 1 - cancelled);
      });
}

// Alone: no other callback's flag helps it out.
TEST(FutureRace, CallbackIsNotMissedWhileTheFutureCompletes) {
  const seed_scope seed;
  std::optional<tandem::promise<int>> promise;
  tandem::future<int> future;
  std::atomic<int> called{0};
  std::array<std::mt19937, 2> random{seed_scope::generator(0), seed_scope::generator(1)};
  crew::run(
      2, rounds(100'000),
      [&](int) {
        promise.emplace();
        future = promise->get_future();
      },
      [&](int i, int) {
        dawdle(random[static_cast<unsigned>(i)]);
        if (i == 0) {
          future.on_done([&] { ++called; });
        } else {
          promise->set_value(1);
        }
      },
      [&](int round) { ASSERT_EQ(called, round + 1); });
}

// The first callback's flag may get the second one fired before on_done() has returned.
TEST(FutureRace, CallbackMayDestroyTheFutureWhileItIsBeingRegistered) {
  const seed_scope seed;
  std::optional<tandem::promise<int>> promise;
  tandem::future<int>* future = nullptr;
  std::atomic<int> called{0};
  std::mt19937 random = seed_scope::generator();
  crew::run(
      2, rounds(20'000),
      [&](int) {
        promise.emplace();
        future = new tandem::future<int>(promise->get_future());
        future->on_done([&] { ++called; });
      },
      [&](int i, int) {
        if (i == 0) {
          auto* mine = future;
          mine->on_done([&, mine] {
            delete mine;
            ++called;
          });
        } else {
          dawdle(random);
          promise->set_value(1);
          promise.reset();
        }
      },
      [&](int round) { ASSERT_EQ(called, 2 * (round + 1)); });
}

TEST(FutureRace, ExactlyOneOfSetCancelAndBreakWins) {
  const seed_scope seed;
  std::optional<tandem::promise<int>> p;
  tandem::shared_future<int> f;
  std::atomic<int> set{0};
  std::atomic<int> cancelled{0};
  std::atomic<int> called{0};
  std::array<std::mt19937, 4> random;
  for (unsigned i = 0; i < random.size(); ++i) random[i] = seed_scope::generator(i);
  crew::run(
      4, rounds(40000),
      [&](int) {
        p.emplace();
        f = p->get_future();
        set = cancelled = called = 0;
      },
      [&](int i, int) {
        dawdle(random[static_cast<std::size_t>(i)]);
        if (i < 2) {
          try {
            i == 0 ? p->set_value(1) : p->set_exception(std::make_exception_ptr(2));
            set.fetch_add(1);
          } catch (const tandem::invalid_state_error&) {}
        } else if (i == 2) {
          auto mine = f;
          if (mine.cancel()) cancelled.fetch_add(1);
        } else {
          f.on_done([&] { called.fetch_add(1); });
          f.wait();
        }
      },
      [&](int) {
        ASSERT_EQ(set + cancelled, 1);
        ASSERT_EQ(f.cancelled(), cancelled == 1);
        ASSERT_EQ(called, 1);
      });
}

TEST(FutureRace, CallbacksAreCalledOnceWhileOthersComeAndGo) {
  const seed_scope seed;
  tandem::promise<int> p;
  std::vector<tandem::shared_future<int>> f(1);
  std::atomic<int> registered{0};
  std::atomic<int> called{0};
  std::array<std::mt19937, 4> random;
  for (unsigned i = 0; i < random.size(); ++i) random[i] = seed_scope::generator(i);
  crew::run(
      4, rounds(15000),
      [&](int) {
        p = tandem::promise<int>();
        f[0] = p.get_future();
        registered = called = 0;
      },
      [&](int i, int) {
        auto& mine = random[static_cast<std::size_t>(i)];
        if (i == 0) {
          for (unsigned n = mine() % 4; n > 0; --n) dawdle(mine);
          p.set_value(1);
          return;
        }
        // Registers callbacks, and waits that are given up: these take their own callbacks out again.
        for (int n = 0; n < 4; ++n) {
          if (mine() % 2 == 0) {
            registered.fetch_add(1);
            f[0].on_done([&] { called.fetch_add(1); });
          } else {
            (void)tandem::wait(f, tandem::return_when::all_completed,
                               std::chrono::nanoseconds(mine() % 4000));
          }
        }
      },
      [&](int) {
        ASSERT_TRUE(f[0].is_ready());
        ASSERT_EQ(called, registered);
      });
}

TEST(FutureRace, PromiseAndFutureMayBeDestroyedAsSoonAsTheFutureIsReady) {
  const seed_scope seed;
  std::unique_ptr<tandem::promise<std::unique_ptr<int>>> p;
  tandem::future<std::unique_ptr<int>> f;
  std::atomic<int> called{0};
  std::array<std::mt19937, 2> random{seed_scope::generator(0), seed_scope::generator(1)};
  int round_of_callbacks = 0;
  crew::run(
      2, rounds(60000),
      [&](int round) {
        p = std::make_unique<tandem::promise<std::unique_ptr<int>>>();
        f = p->get_future();
        round_of_callbacks = round % 2;
        if (round_of_callbacks == 1) f.on_done([&] { called.fetch_add(1); });
        called = 0;
      },
      [&](int i, int round) {
        dawdle(random[static_cast<std::size_t>(i)]);
        if (i == 1) {
          auto* setter = p.get();  // destroyed by the other thread, under our feet
          setter->set_value(std::make_unique<int>(round));
          return;
        }
        while (!f.is_ready()) std::this_thread::yield();
        EXPECT_EQ(*f.get(), round);
        f = {};
        p.reset();
      },
      [&](int) { ASSERT_EQ(called, round_of_callbacks); });
}

TEST(FutureRace, TaskThatIsTriedAgainIsStoppedOrCancelledNeverBoth) {
  // A worker that starts the task and gives it back, as process_pool does when a worker dies, against a cancel().
  const seed_scope seed;
  tandem::test::manual_executor pool;
  tandem::future<void> f;
  tandem::detail::core* task = nullptr;
  bool cancelled = false;
  std::array<std::mt19937, 2> random{seed_scope::generator(0), seed_scope::generator(1)};
  crew::run(
      2, rounds(60000),
      [&](int) {
        f = pool.submit([] {});
        task = tandem::detail::access::state(f);
        cancelled = false;
      },
      [&](int i, int) {
        namespace word = tandem::detail::word;
        if (i == 0) {
          dawdle(random[0]);
          cancelled = f.cancel();
          return;
        }
        while (task->try_start()) {
          dawdle(random[1]);
          if (!task->return_to_pending()) {
            task->execute();
            break;
          }
          const std::uint32_t w = task->load();
          ASSERT_FALSE(word::phase(w) == word::pending && (w & word::stop_requested) != 0);
        }
      },
      [&](int) {
        ASSERT_TRUE(f.is_ready());
        ASSERT_EQ(f.cancelled(), cancelled);
        pool.run_all();
      });
}

}  // namespace
