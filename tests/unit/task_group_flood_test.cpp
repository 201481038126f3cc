// task_group with more tasks than a worker's deque has room for: run() calls none of them.
#include <tandem/task_group.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "support/gate.hpp"

namespace {

using tandem::task_group;
using tandem::task_group_status;
using tandem::thread_pool;

TEST(TaskGroupFlood, RunUnderALockThatItsTasksWantDoesNotCallThem) {
  for (const int workers : {1, 2}) {
    thread_pool pool({.max_workers = workers});
    pool.submit([] {
          std::mutex mutex;
          int ran = 0;
          task_group group;
          {
            const std::lock_guard lock(mutex);
            for (int i = 0; i < 1100; ++i) {
              group.run([&] {
                const std::lock_guard same(mutex);
                ++ran;
              });
            }
            EXPECT_EQ(ran, 0);
          }
          EXPECT_EQ(group.wait(), task_group_status::complete);
          EXPECT_EQ(ran, 1100);
        })
        .get();
  }
}

// A flood fill: each cell runs its neighbours in the one group. With calls inside calls this would need 90,000 frames.
TEST(TaskGroupFlood, FillsAPlaneWithoutGrowingTheStack) {
  constexpr int side = 300;
  struct plane {
    task_group& group;
    std::vector<std::atomic<bool>>& seen;
    void visit(int x, int y) const {
      if (x < 0 || y < 0 || x >= side || y >= side) return;
      if (seen[static_cast<std::size_t>(y * side + x)].exchange(true)) return;
      for (const auto& [dx, dy] : {std::pair{1, 0}, {-1, 0}, {0, 1}, {0, -1}})
        group.run([*this, x = x + dx, y = y + dy] { visit(x, y); });
    }
  };
  for (const int workers : {1, 3}) {
    thread_pool pool({.max_workers = workers, .stack_size = 256 << 10});
    pool.submit([&] {
          std::vector<std::atomic<bool>> seen(side * side);
          task_group group;
          plane{group, seen}.visit(side / 2, side / 2);
          EXPECT_EQ(group.wait(), task_group_status::complete);
          for (const auto& cell : seen) ASSERT_TRUE(cell);
        })
        .get();
  }
}

// The caller's first task goes on when the other worker has run all that had room; the second one when that worker has run
// something else.
TEST(TaskGroupFlood, WhatHadNoRoomIsRunByOtherWorkersToo) {
  thread_pool pool({.max_workers = 2});
  pool.submit([] {
        constexpr int count = 3000;
        constexpr int room = 1024;
        const std::thread::id home = std::this_thread::get_id();
        tandem::test::gate all_are_there;
        tandem::test::counter elsewhere;
        int here = 0;
        task_group group;
        for (int i = 0; i < count; ++i) {
          group.run([&] {
            if (std::this_thread::get_id() == home) {
              if (++here <= 2) elsewhere.wait_for(here * room);
            } else {
              all_are_there.wait();
              elsewhere.add();
            }
          });
        }
        all_are_there.open();
        EXPECT_EQ(group.wait(), task_group_status::complete);
        EXPECT_EQ(here + elsewhere.value(), count);
      })
      .get();
}

TEST(TaskGroupFlood, AnExceptionLeavesOutWhatHadNoRoom) {
  thread_pool pool({.max_workers = 1});
  pool.submit([] {
        int ran = 0;
        task_group group;
        for (int i = 0; i < 2000; ++i) {
          group.run([&] {
            ++ran;
            throw std::runtime_error("first");
          });
        }
        EXPECT_THROW(group.wait(), std::runtime_error);
        EXPECT_EQ(ran, 1);
        for (int i = 0; i < 2000; ++i) group.run([&] { ++ran; });
        EXPECT_EQ(group.wait(), task_group_status::complete);
        EXPECT_EQ(ran, 2001);
      })
      .get();
}

}  // namespace
