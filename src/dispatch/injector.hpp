// The queue through which tasks from outside reach a pool's workers: many producers, many consumers, in order.
// An endless array of slots, cut into segments: one fetch_add on the tail gives a producer a slot that is its alone,
// one compare-exchange on the head gives a consumer a run of slots. Whoever holds a slot keeps its segment alive, so
// no hazard pointers or epochs are needed. Lock-free but for the allocation of a segment.
// Knows nothing of sleeping workers; README.md says how the two fit together.
#ifndef TANDEM_DISPATCH_INJECTOR_HPP
#define TANDEM_DISPATCH_INJECTOR_HPP

#include <tandem/config.hpp>

#include "posix/spin.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <thread>

namespace tandem::dispatch {

/// What an injector is made of.
struct injector_sizes {
  /// Slots in a segment, and segments that may be alive at a time: 2^28 items, more than fit into 32 GB.
  std::size_t segment_slots = 1024;
  std::size_t most_segments = std::size_t{1} << 18;
  /// Turns that a consumer gives a producer between its ticket and its slot.
  int patience = 100;
};

/// A queue of pointers to T. All members but the destructor may be called by any thread at any time.
template <class T, injector_sizes Sizes = injector_sizes{}>
class injector {
 public:
  static constexpr std::size_t segment_slots = Sizes.segment_slots;
  static constexpr std::size_t most_segments = Sizes.most_segments;

  /// @throws std::bad_alloc
  injector() : directory_(static_cast<std::uintptr_t*>(std::calloc(most_segments, sizeof(std::uintptr_t)))) {
    if (directory_ == nullptr) throw std::bad_alloc();  // calloc: untouched pages of it cost nothing
  }
  injector(const injector&) = delete;
  injector& operator=(const injector&) = delete;
  /// Forgets the items that are still in it.
  ~injector() {
    // Slots that nobody visited may have kept a segment anywhere below the tail, but mostly near it.
    std::uint64_t number = (tail_.load(std::memory_order_acquire) & ~closed_bit) / segment_slots + 1;
    for (std::size_t left = segments_.load(std::memory_order_relaxed); left > 0; --number) {
      const std::uintptr_t entry = entry_of(number).load(std::memory_order_relaxed);
      if (entry == 0) continue;
      delete pointer_of(entry);
      --left;
    }
    delete spare_.load(std::memory_order_acquire);
    std::free(directory_);
  }

  /// Puts an item behind all others; false if the queue is closed. Blocks only when 2^28 items wait.
  [[nodiscard]] bool push(T* item) noexcept {
    for (;;) {
      // ORDER call-park: seq_cst, and so is the slot below. The producer's later look at the roster comes behind both.
      const std::uint64_t ticket = tail_.fetch_add(1, std::memory_order_seq_cst);
      if ((ticket & closed_bit) != 0) return false;
      if (ticket - head_seen_.load(std::memory_order_relaxed) >= capacity) wait_for_room(ticket);
      segment& home = segment_of(ticket);
      // Release publishes the item to take(). An exchange and not a store, for take() may have given the slot up.
      if (home.slots[ticket % segment_slots].exchange(item, std::memory_order_seq_cst) == nullptr)
        return true;
      visited(home, ticket, 1);  // overtaken: the consumer has counted it
    }
  }

  /// Takes items from the front: one `shares`-th of what there is, rounded up, `most` at the most; returns how many.
  /// 0 though it is not empty() is possible: then a producer was overtaken and is about to push again.
  std::size_t pop(T** out, std::size_t most, std::size_t shares = 1) noexcept {
    std::uint64_t ticket = head_.load(std::memory_order_relaxed);
    std::size_t count = 0;
    do {
      // The producers' line is left alone for as long as an old tail is good enough.
      std::uint64_t end = end_seen_.load(std::memory_order_relaxed);
      if (end < ticket + most * shares) {
        end = this->end();
        end_seen_.store(end, std::memory_order_relaxed);
      }
      if (ticket >= end) return 0;
      count = std::min<std::size_t>(most, (end - ticket + shares - 1) / shares);
    } while (!head_.compare_exchange_weak(ticket, ticket + count, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
    std::size_t taken = 0;
    while (count > 0) {
      const std::size_t first = ticket % segment_slots;
      const std::size_t run = std::min(count, segment_slots - first);
      segment& home = segment_of(ticket);
      std::uint32_t done = 0;
      for (std::size_t i = first; i < first + run; ++i) {
        T* item = take(home.slots[i]);
        if (item == nullptr) continue;  // its producer is the slot's last visitor
        out[taken++] = item;
        ++done;
      }
      if (done > 0) visited(home, ticket, done);
      ticket += run;
      count -= run;
    }
    return taken;
  }

  /// From now on push() returns false. What was pushed before can still be taken, nothing is added any more.
  void close() noexcept {
    const std::uint64_t old = tail_.fetch_or(closed_bit, std::memory_order_seq_cst);
    if ((old & closed_bit) == 0) end_.store(old, std::memory_order_seq_cst);
  }

  /// How many items wait. Those that are just being pushed count.
  [[nodiscard]] std::size_t size() const noexcept {
    const std::uint64_t head = head_.load(std::memory_order_seq_cst);
    const std::uint64_t end = this->end();
    return end > head ? end - head : 0;
  }
  /// ORDER call-park: pairs with push(), through the tail.
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  /// How many items were pushed since the start.
  [[nodiscard]] std::uint64_t pushed() const noexcept {
    const std::uint64_t overtaken = overtaken_.load(std::memory_order_relaxed);
    const std::uint64_t end = this->end();
    return end > overtaken ? end - overtaken : 0;
  }

 private:
  struct segment {
    std::array<TANDEM_ATOMIC<T*>, segment_slots> slots{};  // null, an item, or given_up()
    // Slots with which both the producer and the consumer have finished. Whoever makes it full frees the segment.
    alignas(64) TANDEM_ATOMIC<std::uint32_t> visited{0};
  };

  static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;
  static constexpr std::uint64_t capacity = (most_segments - 2) * segment_slots;
  static constexpr int tag_shift = 48;  // addresses of user space are below

  static T* given_up() noexcept { return reinterpret_cast<T*>(std::uintptr_t{1}); }

  using entry_ref = TANDEM_ATOMIC_REF<std::uintptr_t>;
  entry_ref entry_of(std::uint64_t number) noexcept { return entry_ref(directory_[number % most_segments]); }

  // A directory entry: address of a segment and, above it, how often the directory had been gone through before.
  static segment* pointer_of(std::uintptr_t entry) noexcept {
    return reinterpret_cast<segment*>(entry & ((std::uintptr_t{1} << tag_shift) - 1));
  }
  static std::uintptr_t tag_of(std::uint64_t number) noexcept {
    return static_cast<std::uintptr_t>(number / most_segments) << tag_shift;
  }

  // One behind the last ticket that can have an item.
  [[nodiscard]] std::uint64_t end() const noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_seq_cst);
    if ((tail & closed_bit) == 0) return tail;
    return std::min(tail & ~closed_bit, end_.load(std::memory_order_seq_cst));
  }

  // The item of a slot that is ours to take from, or null: then its producer will find that it must push again.
  T* take(TANDEM_ATOMIC<T*>& slot) noexcept {
    T* item = slot.load(std::memory_order_acquire);
    for (int i = 0; item == nullptr && i < Sizes.patience; ++i) {
      posix::spin_once();
      item = slot.load(std::memory_order_acquire);
    }
    if (item != nullptr) return item;
    // A producer that lost the CPU at this very place must not hold up the items behind it.
    overtaken_.fetch_add(1, std::memory_order_relaxed);
    item = slot.exchange(given_up(), std::memory_order_acq_rel);
    if (item != nullptr) overtaken_.fetch_sub(1, std::memory_order_relaxed);
    return item;
  }

  segment& segment_of(std::uint64_t ticket) noexcept {
    const std::uint64_t number = ticket / segment_slots;
    const entry_ref entry = entry_of(number);
    const std::uintptr_t found = entry.load(std::memory_order_acquire);
    if (found != 0 && (found ^ tag_of(number)) >> tag_shift == 0) return *pointer_of(found);
    return make_segment(entry, number);
  }

  // Everyone who needs the segment tries; one succeeds.
  segment& make_segment(entry_ref entry, std::uint64_t number) noexcept {
    std::unique_ptr<segment> mine;
    for (;;) {
      std::uintptr_t found = entry.load(std::memory_order_acquire);
      if (found != 0 && (found ^ tag_of(number)) >> tag_shift == 0) return *pointer_of(found);
      if (mine == nullptr) mine.reset(spare_.exchange(nullptr, std::memory_order_acquire));
      if (mine == nullptr) mine.reset(new (std::nothrow) segment);
      if (found != 0 || mine == nullptr) {
        // Out of memory, or a visitor of 2^28 items ago has slept ever since: our ticket cannot be given back.
        std::this_thread::yield();
        continue;
      }
      segments_.fetch_add(1, std::memory_order_relaxed);
      if (entry.compare_exchange_strong(found, reinterpret_cast<std::uintptr_t>(mine.get()) | tag_of(number),
                                        std::memory_order_acq_rel)) {
        return *mine.release();
      }
      segments_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  void visited(segment& home, std::uint64_t ticket, std::uint32_t slots) noexcept {
    // Acquire and release: the one who frees comes behind all visits.
    if (home.visited.fetch_add(slots, std::memory_order_acq_rel) + slots != segment_slots) return;
    const std::uint64_t number = ticket / segment_slots;
    entry_of(number).store(0, std::memory_order_release);
    segments_.fetch_sub(1, std::memory_order_relaxed);
    keep(home);
  }

  // For the next one that needs a segment: so a queue that is not growing allocates nothing.
  void keep(segment& used_up) noexcept {
    for (TANDEM_ATOMIC<T*>& slot : used_up.slots) slot.store(nullptr, std::memory_order_relaxed);
    used_up.visited.store(0, std::memory_order_relaxed);
    delete spare_.exchange(&used_up, std::memory_order_acq_rel);
  }

  void wait_for_room(std::uint64_t ticket) noexcept {
    for (;;) {
      const std::uint64_t head = head_.load(std::memory_order_acquire);
      head_seen_.store(head, std::memory_order_relaxed);
      if (head >= ticket || ticket - head < capacity) return;
      std::this_thread::yield();
    }
  }

  std::uintptr_t* const directory_;  // entry of segment n at n % most_segments; 0: none
  // Producers' line.
  alignas(64) TANDEM_ATOMIC<std::uint64_t> tail_{0};  // next ticket; closed_bit
  TANDEM_ATOMIC<std::uint64_t> head_seen_{0};         // a head of the past
  // Consumers' line.
  alignas(64) TANDEM_ATOMIC<std::uint64_t> head_{0};  // next ticket to take; at most the tail
  TANDEM_ATOMIC<std::uint64_t> end_seen_{0};          // an end() of the past
  // Seldom touched.
  alignas(64) TANDEM_ATOMIC<std::uint64_t> end_{
      std::numeric_limits<std::uint64_t>::max()};  // tail at close()
  TANDEM_ATOMIC<std::uint64_t> overtaken_{0};      // tickets given up by consumers and tried again
  TANDEM_ATOMIC<std::size_t> segments_{0};         // alive, but for the spare one
  TANDEM_ATOMIC<segment*> spare_{
      nullptr};  // empty; put here by whoever has used one up, taken by whoever needs one
};

}  // namespace tandem::dispatch

#endif
