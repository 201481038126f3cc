// An array that grows while it is read: made in chunks, so that elements never move and that nobody pays for room
// that nobody uses. Owns its elements; says nothing about what they are or who may touch them.
#ifndef TANDEM_DISPATCH_LASTING_ARRAY_HPP
#define TANDEM_DISPATCH_LASTING_ARRAY_HPP

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>

namespace tandem::dispatch {

/// `Most`: indices are below it. Elements are value-initialized.
template <class T, int Most>
class lasting_array {
 public:
  lasting_array() noexcept = default;
  lasting_array(const lasting_array&) = delete;
  lasting_array& operator=(const lasting_array&) = delete;
  ~lasting_array() {
    for (auto& c : chunks_) delete c.load(std::memory_order_relaxed);
  }

  /// Makes room for indices below `count`. One thread at a time, while others read.
  /// @throws std::bad_alloc
  void reserve(int count) {
    assert(count <= Most);
    for (int i = 0; i < count; i += chunk_size) {
      auto& c = chunks_[static_cast<std::size_t>(i) / chunk_size];
      // Release pairs with operator[]: whoever has an index from elsewhere sees the elements in their first state.
      if (c.load(std::memory_order_relaxed) == nullptr) c.store(new chunk{}, std::memory_order_release);
    }
  }

  /// For an index that there is room for. Any thread.
  [[nodiscard]] T& operator[](int index) const noexcept {
    const auto i = static_cast<std::size_t>(index);
    return (*chunks_[i / chunk_size].load(std::memory_order_acquire))[i % chunk_size];
  }

 private:
  static constexpr std::size_t chunk_size = 64;
  using chunk = std::array<T, chunk_size>;
  // Null until room is needed. Written by reserve().
  std::array<std::atomic<chunk*>, (Most + chunk_size - 1) / chunk_size> chunks_{};
};

}  // namespace tandem::dispatch

#endif
