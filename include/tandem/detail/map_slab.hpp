// Where map() collects its results: one contiguous block, written by index from any thread, given to the user as a
// vector. Types without a default constructor are built in raw memory and moved over at the end.
#ifndef TANDEM_DETAIL_MAP_SLAB_HPP
#define TANDEM_DETAIL_MAP_SLAB_HPP

#include <cstddef>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace tandem::detail {

template <class R>
inline constexpr bool vector_slab =
    std::is_default_constructible_v<R>&& std::is_move_assignable_v<R> && !std::is_same_v<R, bool>;

template <class R, bool = vector_slab<R>>
class map_slab {
 public:
  explicit map_slab(std::size_t size) : values_(size) {}
  template <class Function>
  void put(std::size_t i, Function&& function) {
    values_[i] = std::forward<Function>(function)();
  }
  [[nodiscard]] std::vector<R> take() { return std::move(values_); }

 private:
  std::vector<R> values_;
};

template <class R>
class map_slab<R, false> {
 public:
  explicit map_slab(std::size_t size)
      : live_(size), memory_(std::allocator<R>().allocate(size)), size_(size) {}
  map_slab(const map_slab&) = delete;
  map_slab& operator=(const map_slab&) = delete;
  ~map_slab() {
    for (std::size_t i = 0; i < size_; ++i) {
      if (live_[i] != 0) std::destroy_at(memory_ + i);
    }
    std::allocator<R>().deallocate(memory_, size_);
  }
  template <class Function>
  void put(std::size_t i, Function&& function) {
    ::new (static_cast<void*>(memory_ + i)) R(std::forward<Function>(function)());
    live_[i] = 1;
  }
  [[nodiscard]] std::vector<R> take() {
    return std::vector<R>(std::make_move_iterator(memory_), std::make_move_iterator(memory_ + size_));
  }

 private:
  std::vector<char> live_;  // a byte each: written by different threads
  R* memory_;               // allocated last: nothing that could throw comes behind it
  std::size_t size_;
};

template <>
class map_slab<void, false> {
 public:
  explicit map_slab(std::size_t) noexcept {}
  template <class Function>
  void put(std::size_t, Function&& function) {
    std::forward<Function>(function)();
  }
  void take() noexcept {}
};

}  // namespace tandem::detail

#endif
