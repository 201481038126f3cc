// What a worker has forked and not begun: the owner puts in and takes out at the bottom, thieves take the oldest at the
// top. The deque of Chase and Lev (SPAA 2005), with the memory orders of Le, Pop, Cohen and Zappa Nardelli (PPoPP 2013),
// but for their fences: sequentially consistent operations cost the same, and ThreadSanitizer understands them. It does
// not grow: whoever finds it full keeps what it wanted to put in.
#ifndef TANDEM_DETAIL_FORK_DEQUE_HPP
#define TANDEM_DETAIL_FORK_DEQUE_HPP

#include <tandem/config.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tandem::detail {

template <class T, std::size_t Capacity = 1024>
class fork_deque {
  static_assert((Capacity & (Capacity - 1)) == 0);

 public:
  static constexpr std::size_t capacity = Capacity;

  /// Owner only; `tag` is for steal_if(). False if it is full.
  [[nodiscard]] bool push(T* item, std::uint64_t tag) noexcept {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
    // Acquire: a thief has read the slot before it moved the top past it.
    if (bottom - top_.load(std::memory_order_acquire) >= static_cast<std::int64_t>(Capacity)) return false;
    slot(bottom).tag.store(tag, std::memory_order_relaxed);
    slot(bottom).item.store(item, std::memory_order_relaxed);
    // ORDER call-park: seq_cst, as injector::push. Release publishes slot and item to steal().
    bottom_.store(bottom + 1, std::memory_order_seq_cst);
    return true;
  }

  /// Owner only: the newest item, or null.
  [[nodiscard]] T* pop() noexcept {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    // ORDER last-item: seq_cst, before we look at the top; a thief looks at the top and then at the bottom. Either it
    // sees that the item is not there any more, or we see that it is about to take it.
    bottom_.store(bottom, std::memory_order_seq_cst);
    std::int64_t top = top_.load(std::memory_order_seq_cst);
    if (top < bottom) return slot(bottom).item.load(std::memory_order_relaxed);
    T* item = nullptr;
    if (top == bottom) {  // the last one: whoever moves the top has it
      item = slot(bottom).item.load(std::memory_order_relaxed);
      if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst, std::memory_order_relaxed))
        item = nullptr;
    }
    bottom_.store(bottom + 1, std::memory_order_relaxed);
    return item;
  }

  /// Owner only: the tag of what pop() has just given; 0 in the rare case that this cannot be told. (pop() itself does not read it:
  /// that is for those who put the item back.)
  [[nodiscard]] std::uint64_t tag_of_popped(const T* item) noexcept {
    // It was there, or, if it was the last one, below. An old entry may be there as well.
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
    const auto is_in = [&](std::int64_t i) { return slot(i).item.load(std::memory_order_relaxed) == item; };
    const auto tag = [&](std::int64_t i) { return slot(i).tag.load(std::memory_order_relaxed); };
    if (!is_in(bottom)) return tag(bottom - 1);
    return !is_in(bottom - 1) || tag(bottom) == tag(bottom - 1) ? tag(bottom) : 0;
  }

  /// Anybody: the oldest item; null if there is none, or another one was quicker.
  [[nodiscard]] T* steal() noexcept {
    return steal_if([](std::uint64_t) { return true; });
  }
  /// The same if the oldest item's tag is wanted. Nothing is known of an item before it is taken, it may be gone; but its tag is
  /// read here.
  template <class Wanted>
  [[nodiscard]] T* steal_if(Wanted wanted) noexcept {
    std::int64_t top = top_.load(std::memory_order_seq_cst);
    const std::int64_t bottom = bottom_.load(std::memory_order_seq_cst);  // ORDER last-item
    if (top >= bottom) return nullptr;
    // Read first, then claim: if the owner has put another item there meanwhile, the top has moved.
    if (!wanted(slot(top).tag.load(std::memory_order_relaxed))) return nullptr;
    T* item = slot(top).item.load(std::memory_order_relaxed);
    if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst, std::memory_order_relaxed))
      return nullptr;
    return item;
  }

  /// ORDER call-park: pairs with push(). A number that was so at some moment between two looks.
  [[nodiscard]] std::size_t size() const noexcept {
    const std::int64_t top = top_.load(std::memory_order_seq_cst);
    const std::int64_t bottom = bottom_.load(std::memory_order_seq_cst);
    return bottom > top ? static_cast<std::size_t>(bottom - top) : 0;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

 private:
  struct entry {
    TANDEM_ATOMIC<T*> item{nullptr};
    TANDEM_ATOMIC<std::uint64_t> tag{0};
  };

  entry& slot(std::int64_t index) noexcept { return slots_[static_cast<std::size_t>(index) % Capacity]; }

  // 64-bit indices that only grow, but for the bottom by one in pop(): no ABA.
  alignas(64) TANDEM_ATOMIC<std::int64_t> top_{0};     // thieves, and the owner for the last item
  alignas(64) TANDEM_ATOMIC<std::int64_t> bottom_{0};  // owner
  std::array<entry, Capacity> slots_{};
};

}  // namespace tandem::detail

#endif
