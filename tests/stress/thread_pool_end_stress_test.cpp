// The end of a pool while a producer stands still at any instruction of its submit. A thread that loses the CPU just there is rare; so a
// signal arrives there, whose handler sleeps. The seed is printed; TANDEM_STRESS_SEED runs one again, TANDEM_STRESS_ROUNDS runs longer.
#include <tandem/thread_pool.hpp>

#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <latch>
#include <random>
#include <thread>

#include <pthread.h>
#include <ctime>

#include "support/rounds.hpp"
#include "support/seed.hpp"

namespace {

using tandem::test::rounds;
using tandem::test::seed_scope;

void spin(unsigned turns) {
  for (; turns > 0; --turns) std::atomic_signal_fence(std::memory_order_seq_cst);
}

// While it lives, a thread that gets SIGUSR1 stands still for a while.
class standstill {
 public:
  standstill() {
    struct sigaction action {};
    action.sa_handler = [](int) {
      const timespec pause{.tv_sec = 0, .tv_nsec = 300'000};
      ::nanosleep(&pause, nullptr);
    };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGUSR1, &action, &before_);
  }
  standstill(const standstill&) = delete;
  standstill& operator=(const standstill&) = delete;
  ~standstill() { ::sigaction(SIGUSR1, &before_, nullptr); }

  static void of(std::thread& t) { ::pthread_kill(t.native_handle(), SIGUSR1); }

 private:
  struct sigaction before_ {};
};

// Tasks one after the other, and places for workers that are never needed: so that starts are begun and taken back. The one step of
// that which has a test of its own, because it is hardly ever met here, is in unit/thread_pool_calls_test.cpp.
TEST(ThreadPoolEndStress, IsNotHeldUpByAProducerThatStandsStill) {
  const seed_scope seed;
  const standstill still;
  auto random = seed_scope::generator();
  for (int i = rounds(3000); i > 0; --i) {
    int ran = 0;
    int accepted = 0;
    std::latch ready(2);
    tandem::thread_pool pool({.max_workers = 64});
    pool.submit([] {}).get();
    std::thread producer([&] {
      ready.arrive_and_wait();
      try {
        for (;; ++accepted) {
          const auto done = pool.submit([&] { ++ran; });
          while (!done.is_ready()) {}
        }
      } catch (const tandem::shutdown_error&) {}
    });
    ready.arrive_and_wait();
    spin(static_cast<unsigned>(random() % 20'000));
    standstill::of(producer);
    pool.shutdown();
    producer.join();
    EXPECT_EQ(ran, accepted);
    EXPECT_EQ(pool.stats().workers, 0);
  }
}

}  // namespace
