#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "round_trip/workload.hpp"

// For scale: two threads and two futex words, no library, and nobody spins. Not a lower bound: most of a trip is the waking
// of a CPU, and whether a library's wake-ups place the threads on one CPU or on two decides more than what it does itself.
namespace round_trip {
namespace {

using word = std::atomic<std::uint32_t>;
static_assert(sizeof(word) == sizeof(std::uint32_t));

void wait_while(word& at, std::uint32_t value) {
  while (at.load(std::memory_order_acquire) == value)
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&at), FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void set(word& at, std::uint32_t value) {
  at.store(value, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&at), FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace

figures run_futex(const bench::conditions& c) {
  constexpr std::uint32_t stop = 0xFFFFFFFF;
  word ball = 0;  // odd: the other thread's turn
  std::thread other([&] {
    for (std::uint32_t seen = 0;;) {
      wait_while(ball, seen);
      const std::uint32_t now = ball.load(std::memory_order_acquire);
      if (now == stop) return;
      seen = now + 1;
      set(ball, seen);
    }
  });
  std::uint32_t turn = 0;
  const figures all = measure_trips(c, [&] {
    set(ball, turn + 1);
    wait_while(ball, turn + 1);
    turn += 2;
  });
  set(ball, stop);
  other.join();
  return all;
}

}  // namespace round_trip
