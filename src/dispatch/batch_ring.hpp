// What a worker has taken from the injector and not yet begun: a short ring, in order, from which other workers may
// steal, so that no task waits behind a long one. The owner fills it when it is empty; all take at the head.
#ifndef TANDEM_DISPATCH_BATCH_RING_HPP
#define TANDEM_DISPATCH_BATCH_RING_HPP

#include <tandem/config.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>

namespace tandem::dispatch {

template <class T, std::size_t Capacity = 64>
class batch_ring {
  static_assert((Capacity & (Capacity - 1)) == 0);

 public:
  static constexpr std::size_t capacity = Capacity;

  /// Owner only, and only when empty(): puts `count` items in.
  void fill(T* const* items, std::size_t count) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    assert(count <= Capacity && head_.load(std::memory_order_relaxed) == tail);
    for (std::size_t i = 0; i < count; ++i)
      slots_[(tail + i) % Capacity].store(items[i], std::memory_order_relaxed);
    // ORDER call-park: seq_cst, as injector::push. Release publishes slots and items to steal().
    tail_.store(tail + count, std::memory_order_seq_cst);
  }

  /// Owner only: the oldest item, or null.
  [[nodiscard]] T* pop() noexcept {
    // Acquire, here and below: what a thief read from the slots it read before our next fill().
    std::uint64_t head = head_.load(std::memory_order_acquire);
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    while (head != tail) {
      T* item = slots_[head % Capacity].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel, std::memory_order_acquire))
        return item;
    }
    return nullptr;
  }

  /// Anybody: takes half of the items, the oldest, rounded up, `most` at the most; returns how many.
  std::size_t steal(T** out, std::size_t most) noexcept {
    std::uint64_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      const std::uint64_t tail = tail_.load(std::memory_order_seq_cst);
      if (static_cast<std::int64_t>(tail - head) <= 0) return 0;
      const std::size_t count = std::min<std::size_t>({most, (tail - head + 1) / 2, Capacity});
      // Read first, then claim: if the owner has refilled meanwhile the head has moved, and the claim fails.
      for (std::size_t i = 0; i < count; ++i)
        out[i] = slots_[(head + i) % Capacity].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + count, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return count;
    }
  }

  [[nodiscard]] std::size_t size() const noexcept {
    const std::uint64_t head = head_.load(std::memory_order_seq_cst);
    const std::uint64_t tail = tail_.load(std::memory_order_seq_cst);
    return static_cast<std::int64_t>(tail - head) > 0 ? tail - head : 0;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

 private:
  // 64-bit counters that only grow: no ABA.
  alignas(64) TANDEM_ATOMIC<std::uint64_t> head_{0};  // next to take: owner and thieves
  TANDEM_ATOMIC<std::uint64_t> tail_{0};              // next to fill: owner
  std::array<TANDEM_ATOMIC<T*>, Capacity> slots_{};
};

}  // namespace tandem::dispatch

#endif
