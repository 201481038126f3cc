// Steps of a pool's state between which only a thread that loses the CPU can get, made certain.
#include "thread_pool/thread_pool_state.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "support/asleep.hpp"

namespace {

using tandem::detail::thread_pool_state;

// Somebody has begun to start a worker when the pool ends, so whoever joins the workers waits for that. Then the work turns out to be
// gone, and the start is taken back.
TEST(ThreadPoolCalls, AStartThatIsTakenBackIsToldToWhoeverJoins) {
  const auto pool =
      std::make_shared<thread_pool_state>(tandem::thread_pool_options{.max_workers = 2}, /*usable_cpus=*/2);
  tandem::dispatch::roster& roster = pool->roster();
  ASSERT_TRUE(roster.begin_start());
  std::atomic<int> joining{0};
  std::thread ends([&] {
    joining = tandem::test::this_thread();
    pool->shutdown({});
  });
  while (joining == 0) std::this_thread::yield();
  tandem::test::wait_until_asleep(joining);
  roster.retire();      // as if the one whose start we have begun had gone: nobody is told of that
  pool->call_worker();  // begins one itself, and finds nothing for it to do
  ends.join();
  EXPECT_EQ(roster.look().active(), 0);
  EXPECT_EQ(roster.look().searchers(), 0);
}

}  // namespace
