// How many tasks wait in a bounded pool's queue, exactly, and whether one more may. Counts; sleeps and wakes nobody.
#ifndef TANDEM_EXECUTOR_WAITING_COUNT_HPP
#define TANDEM_EXECUTOR_WAITING_COUNT_HPP

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

namespace tandem::detail {

/// One word: tasks that wait, and tasks that were ever begun. One word, because a task goes from the one to the other:
/// were they counted one after the other, a submit that came in between would find room where there is none, or none
/// where there is some. Thread-safe.
class waiting_count {
 public:
  /// One more waits, unless as many wait as may: `capacity`, and one for each of `workers` that is free. `finished()`
  /// is how many of those that were begun have ended; it is asked only when `capacity` tasks wait.
  template <class Finished>
  [[nodiscard]] bool try_enter(int capacity, int workers, Finished finished) noexcept {
    std::uint64_t now = word_.load(std::memory_order_seq_cst);
    for (;;) {
      // The word is read before `finished`, and must not have changed when we add to it: so what was begun and what
      // waits are of the moment at which `finished` was read, or later.
      const std::int64_t waiting = waiting_in(now);
      if (waiting < capacity || waiting < capacity + free_of(workers, begun_in(now), finished())) {
        if (word_.compare_exchange_weak(now, now + 1, std::memory_order_seq_cst)) return true;
        continue;
      }
      const std::uint64_t then = std::exchange(now, word_.load(std::memory_order_seq_cst));
      if (now == then) return false;
    }
  }
  /// One more waits, whatever may.
  void enter() noexcept { word_.fetch_add(1, std::memory_order_seq_cst); }
  /// One that waited is begun. Before it is: whoever has its result finds it counted.
  void begin() noexcept { word_.fetch_add(one_begun - 1, std::memory_order_seq_cst); }
  /// One is begun that somebody took from the queue's middle: its place there counts until its turn comes.
  void begin_in_place() noexcept { word_.fetch_add(one_begun, std::memory_order_seq_cst); }
  /// One that waited will not be begun from the queue: cancelled, refused, or begun in place.
  void leave() noexcept { word_.fetch_sub(1, std::memory_order_seq_cst); }

  [[nodiscard]] std::int64_t waiting() const noexcept {
    return waiting_in(word_.load(std::memory_order_seq_cst));
  }

 private:
  static constexpr std::uint64_t one_begun = std::uint64_t{1} << 32U;

  static std::int64_t waiting_in(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word); }
  static std::uint32_t begun_in(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>(word >> 32U);
  }
  // Counts modulo 2^32: only their difference matters.
  static std::int64_t free_of(int workers, std::uint32_t begun, std::int64_t finished) noexcept {
    const auto running = static_cast<std::int32_t>(begun - static_cast<std::uint32_t>(finished));
    return std::max(0, workers - std::max(0, running));
  }

  // Written by submitters and workers, of a pool that has a bound. Seq_cst: the pairs are queue_bound's (room-sleep).
  alignas(64) std::atomic<std::uint64_t> word_{0};
};

}  // namespace tandem::detail

#endif
