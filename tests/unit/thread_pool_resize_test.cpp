// thread_pool::resize(): more workers come for what waits, surplus ones go, and nothing is lost or overtaken for ever.
#include <tandem/thread_pool.hpp>

#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/gate.hpp"
#include "support/use_all.hpp"

namespace {

using namespace std::chrono_literals;
using tandem::test::counter;
using tandem::test::gate;
using tandem::test::use_all;

// For the end of a thread, which comes a moment after the last thing that can be waited for.
template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

TEST(Resize, MoreWorkersComeForWhatWaits) {
  gate go;
  counter arrived;
  tandem::thread_pool pool({.max_workers = 1, .max_spare_workers = 0});
  const tandem::test::gate_opener at_last(go);
  for (int i = 0; i < 200; ++i) {
    pool.post([&] {
      arrived.add();
      go.wait();
    });
  }
  arrived.wait_for(1);
  for (const int workers : {2, 5, 130}) {
    pool.resize(workers);
    EXPECT_EQ(pool.max_workers(), workers);
    arrived.wait_for(workers);
    EXPECT_EQ(pool.stats().running, workers);
    EXPECT_EQ(pool.stats().workers, workers);
  }
}

TEST(Resize, NoMoreRunThanThereMayBeAndTheOthersGo) {
  for (int round = 0; round < 20; ++round) {
    std::vector<gate> gates(5);
    counter arrived;
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    tandem::thread_pool pool({.max_workers = 5});
    for (auto& g : gates) {
      pool.post([&] {
        ++running;
        arrived.add();
        g.wait();
        --running;
      });
    }
    arrived.wait_for(5);
    std::vector<tandem::future<void>> fs;
    for (int i = 0; i < 100; ++i) {
      fs.push_back(pool.submit([&] {
        const int now = ++running;
        int seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {}
        --running;
      }));
    }
    pool.resize(2);
    EXPECT_EQ(pool.max_workers(), 2);
    for (auto& g : gates) g.open();
    for (auto& f : fs) f.get();
    // Each of those that are too many goes when it has done with the task of its own: what begins behind the resize
    // begins on one of the two that stay.
    EXPECT_LE(most, 2);
    wait_until([&] { return pool.stats().workers == 2; });
    use_all(pool);
  }
}

// Not even what they have taken from the queue already.
TEST(Resize, SurplusWorkersBeginNothingOfWhatTheyHaveTaken) {
  for (int round = 0; round < 20; ++round) {
    gate start;
    gate second;
    counter arrived;
    std::atomic<bool> resized{false};
    std::atomic<int> running{0};
    std::atomic<int> most{0};
    tandem::thread_pool pool({.max_workers = 2});
    for (int i = 0; i < 2; ++i) {
      pool.post([&] {
        arrived.add();
        start.wait();
      });
    }
    arrived.wait_for(2);
    for (int i = 0; i < 60; ++i) {
      pool.post([&] {
        const bool behind = resized;
        const int now = ++running;
        if (behind && now > most) most = now;
        arrived.add();
        second.wait();
        if (behind) std::this_thread::sleep_for(20us);
        --running;
      });
    }
    start.open();
    arrived.wait_for(4);  // each has taken a batch and runs its first task
    pool.resize(1);
    resized = true;
    second.open();
    pool.shutdown();
    EXPECT_EQ(most, 1) << "the first one that is done goes";
    EXPECT_EQ(arrived.value(), 62);
  }
}

TEST(Resize, SleepersThatAreTooManyGo) {
  tandem::thread_pool pool({.max_workers = 6});
  use_all(pool);
  pool.resize(1);
  wait_until([&] { return pool.stats().workers == 1; });
  use_all(pool);
  pool.resize(6);
  use_all(pool);
  EXPECT_GE(pool.stats().workers, 5);  // one may still be on its way to rest
}

// What a worker has taken and not begun when it goes is older than anything else: others must take it before, also
// when the queue is never empty.
TEST(Resize, WhatALeavingWorkerHadNotBegunIsNotOvertakenForEver) {
  for (int round = 0; round < 20; ++round) {
    gate first;
    gate second;
    counter arrived;
    counter left_behind;
    std::atomic<bool> enough{false};
    tandem::thread_pool pool({.max_workers = 2});
    struct flood {
      tandem::thread_pool& pool;
      std::atomic<bool>& enough;
      void operator()() const {
        if (!enough) pool.post(*this);
      }
    };
    for (gate* g : {&first, &second}) {
      pool.post([&arrived, g] {
        arrived.add();
        g->wait();
      });
    }
    arrived.wait_for(2);
    // The workers take shares of these into their rings. One of them is held by its first task; the other one, in the
    // middle of its share, is too many after the resize.
    gate third;
    pool.post([&] {
      arrived.add();
      third.wait();
    });
    for (int i = 0; i < 60; ++i) pool.post([&] { left_behind.add(); });
    for (int i = 0; i < 200; ++i) pool.post(flood{pool, enough});
    first.open();
    second.open();
    arrived.wait_for(3);
    pool.resize(1);
    third.open();
    left_behind.wait_for(60);
    enough = true;
  }
}

TEST(Resize, WorksInATaskAndWhileWorkersAreBlocked) {
  tandem::thread_pool pool({.max_workers = 1});
  pool.submit([&] {
        pool.resize(3);
        use_all(pool);  // this one is stood in for
        pool.resize(1);
      })
      .get();
  EXPECT_EQ(pool.max_workers(), 1);
  wait_until([&] { return pool.stats().workers <= 1; });
  gate go;
  counter blocked;
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 4; ++i) {
    fs.push_back(pool.submit([&] {
      const tandem::this_task::blocking_region region;
      blocked.add();
      go.wait();
    }));
  }
  blocked.wait_for(4);
  pool.resize(2);
  use_all(pool);
  go.open();
  for (auto& f : fs) f.get();
  wait_until([&] { return pool.stats().workers <= 2; });
}

// Whoever has come back from blocking and whoever has stood in for it are one too many: one of them begins nothing further, also of
// what it has taken.
TEST(Resize, SpareGoesAfterItsTask) {
  gate back;
  gate held;
  counter blocked;
  counter begun;
  counter returned;
  tandem::thread_pool pool({.max_workers = 1});
  auto first = pool.submit([&] {
    {
      const tandem::this_task::blocking_region region;
      blocked.add();
      back.wait();
    }
    returned.add();
    wait_until([&] { return pool.stats().workers == 1; });  // until the spare's thread has ended
    return begun.value();
  });
  blocked.wait_for(1);
  for (int i = 0; i < 60; ++i) {
    pool.post([&] {
      begun.add();
      held.wait();
    });
  }
  begun.wait_for(1);
  back.open();
  returned.wait_for(1);
  held.open();
  EXPECT_EQ(first.get(), 1) << "tasks began beside one that was back";
}

TEST(Resize, SparesAreCountedFromTheNewSize) {
  tandem::thread_pool pool({.max_workers = 4, .max_spare_workers = 1});
  use_all(pool);
  pool.resize(1);
  wait_until([&] { return pool.stats().workers == 1; });
  gate go;
  counter blocked;
  std::vector<tandem::future<void>> fs;
  for (int i = 0; i < 4; ++i) {
    fs.push_back(pool.submit([&] {
      const tandem::this_task::blocking_region region;
      blocked.add();
      go.wait();
    }));
  }
  blocked.wait_for(2);
  EXPECT_EQ(pool.stats().workers, 2);
  EXPECT_EQ(pool.stats().queued, 2);
  pool.resize(2);
  blocked.wait_for(3);
  EXPECT_EQ(pool.stats().queued, 1);
  go.open();
  for (auto& f : fs) f.get();
}

TEST(Resize, WorkersThatHaveEndedIdlyCountAsWell) {
  counter ended;
  tandem::thread_pool pool({.max_workers = 4, .finalizer = [&] { ended.add(); }, .idle_timeout = 1ms});
  for (int round = 0; round < 20; ++round) {
    const int before = ended.value();
    use_all(pool);
    if (round % 2 == 0) ended.wait_for(before + 4);
    pool.resize(2);
    use_all(pool);
    if (round % 3 == 0) wait_until([&] { return pool.stats().workers == 0; });
    pool.resize(4);
  }
  use_all(pool);
}

TEST(Resize, ZeroChoosesAsAtTheStart) {
  tandem::thread_pool pool;
  const int chosen = pool.max_workers();
  pool.resize(chosen + 3);
  EXPECT_EQ(pool.max_workers(), chosen + 3);
  pool.resize(0);
  EXPECT_EQ(pool.max_workers(), chosen);
}

TEST(Resize, RefusesWhatCannotBeAndChangesNothingThen) {
  tandem::thread_pool pool({.max_workers = 2});
  const auto message = [&](int workers) {
    try {
      pool.resize(workers);
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(message(-3).find("max_workers is -3"), std::string::npos);
  EXPECT_NE(message(10000).find("max_workers is 10000"), std::string::npos);
  EXPECT_EQ(pool.max_workers(), 2);
  pool.shutdown();
  EXPECT_THROW(pool.resize(3), tandem::shutdown_error);
}

TEST(Resize, OfABrokenPoolIsABrokenPoolError) {
  tandem::thread_pool pool(
      {.max_workers = 1, .initializer = [] { throw std::runtime_error("no database"); }});
  EXPECT_THROW(pool.submit([] {}).get(), tandem::broken_pool_error);
  EXPECT_THROW(pool.resize(2), tandem::broken_pool_error);
}

}  // namespace
