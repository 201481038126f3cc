// A thread_pool and the end of its process: static pools, exit() in odd places, forks.
#include <tandem/thread_pool.hpp>

#include <tandem/error.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

// Each case ends a process of its own: gtest starts this program anew for it.
struct ThreadPoolExit : testing::Test {
  ThreadPoolExit() { testing::GTEST_FLAG(death_test_style) = "threadsafe"; }
};

tandem::thread_pool& static_pool() {
  static tandem::thread_pool pool({.max_workers = 2});
  return pool;
}

[[noreturn]] void exit_with_work_in_a_static_pool() {
  for (int i = 0; i < 100; ++i) static_pool().post([] { std::this_thread::sleep_for(100us); });
  static_pool().post([] { std::fprintf(stderr, "the last one ran\n"); });
  std::exit(3);
}

TEST_F(ThreadPoolExit, StaticPoolFinishesItsWork) {
  EXPECT_EXIT(exit_with_work_in_a_static_pool(), testing::ExitedWithCode(3), "the last one ran");
}

[[noreturn]] void exit_in_a_task() {
  static_pool().post([] { std::exit(4); });
  for (;;) pause();
}

TEST_F(ThreadPoolExit, ExitInATaskDoesNotJoinItself) {
  EXPECT_EXIT(exit_in_a_task(), testing::ExitedWithCode(4), "destroyed on one of its own workers");
}

[[noreturn]] void submit_in_an_atexit_handler() {
  static_pool().submit([] {}).get();
  std::atexit([] { std::fprintf(stderr, "got %d\n", static_pool().submit([] { return 7; }).get()); });
  std::exit(5);
}

TEST_F(ThreadPoolExit, AtexitHandlerCanSubmit) {
  EXPECT_EXIT(submit_in_an_atexit_handler(), testing::ExitedWithCode(5), "got 7");
}

[[noreturn]] void exit_with_a_pool_that_is_never_destroyed() {
  auto* pool = new tandem::thread_pool({.max_workers = 2});
  std::atomic<bool> running{false};
  pool->post([&] {
    running = true;
    for (;;) pause();
  });
  for (int i = 0; i < 10; ++i) pool->submit([] {}).get();
  while (!running) std::this_thread::yield();
  static auto* keep = pool;
  (void)keep;
  std::exit(6);
}

TEST_F(ThreadPoolExit, PoolThatIsNeverDestroyedDoesNotHoldTheProcess) {
  EXPECT_EXIT(exit_with_a_pool_that_is_never_destroyed(), testing::ExitedWithCode(6), "");
}

[[noreturn]] void fork_while_a_pool_runs() {
  auto busy = static_pool().submit([] { std::this_thread::sleep_for(20ms); });
  for (int i = 0; i < 50; ++i) static_pool().post([] { std::this_thread::sleep_for(50us); });
  const pid_t child = fork();
  if (child == 0) {
    try {
      static_pool().submit([] {}).get();
      _exit(1);
    } catch (const tandem::broken_pool_error&) {}
    if (static_pool().stats().workers != 0) _exit(2);
    {
      tandem::thread_pool own({.max_workers = 1});
      if (own.submit([] { return 8; }).get() != 8) _exit(3);
    }
    std::exit(0);  // destroys the static pool
  }
  int status = 0;
  waitpid(child, &status, 0);
  busy.get();
  if (static_pool().submit([] { return 9; }).get() != 9) _exit(1);
  std::exit(WIFEXITED(status) ? 10 + WEXITSTATUS(status) : 1);
}

[[noreturn]] void fork_in_a_task() {
  int ends[2];
  if (pipe(ends) != 0) std::exit(1);
  tandem::thread_pool pool({.max_workers = 1});
  std::latch queued(1);
  auto child = pool.submit([&] {
    queued.wait();
    return fork();  // the child, too, comes back from the task
  });
  auto second = pool.submit([&] {
    if (write(ends[1], "x", 1) != 1) std::exit(1);
  });
  queued.count_down();
  int status = 0;
  waitpid(child.get(), &status, 0);
  second.get();
  close(ends[1]);
  char bytes[10];
  std::exit(static_cast<int>(20 + read(ends[0], bytes, sizeof bytes)));
}

TEST_F(ThreadPoolExit, ForkInATaskDoesNotRunTheQueueTwice) {
  EXPECT_EXIT(fork_in_a_task(), testing::ExitedWithCode(21), "");
}

TEST_F(ThreadPoolExit, ForkedChildEndsAndIsToldThatItHasNoWorkers) {
  EXPECT_EXIT(fork_while_a_pool_runs(), testing::ExitedWithCode(10), "");
}

}  // namespace
