// What parallel_for() and parallel_reduce() do with a piece of their range: Parts, in the sense of split.hpp.
#ifndef TANDEM_DETAIL_LOOP_PARTS_HPP
#define TANDEM_DETAIL_LOOP_PARTS_HPP

#include <tandem/config.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace tandem::detail {

/// Calls `f` with each item.
template <class Iterator, class F>
struct for_part {
  Iterator items;
  F& f;

  void chunk(std::size_t begin, std::size_t end) {
    using distance = std::iter_difference_t<Iterator>;
    Iterator it = items + static_cast<distance>(begin);
    for (std::size_t i = begin; i != end; ++i, ++it) static_cast<void>(std::invoke(f, *it));
  }
  [[nodiscard]] for_part split_off() { return *this; }
  void add(for_part&&) noexcept {}
};

/// What a loop can count.
template <class T>
concept number = std::integral<T> && !std::same_as<std::remove_cv_t<T>, bool>;

/// The same number in the type that both ends of a loop have in common. Throws std::invalid_argument if that has no such one.
template <class Index, class T>
[[nodiscard]] Index checked_number(T value) {
  const auto result = static_cast<Index>(value);
  if ((result < 0) != (value < 0)) {
    throw std::invalid_argument(
        "tandem: parallel_for from or to a negative number, with an unsigned one at the other end: make them "
        "of one type");
  }
  return result;
}

/// Calls `f` with numbers from `first` on.
template <class Index, class F>
struct number_part {
  Index first;
  F& f;

  void chunk(std::size_t begin, std::size_t end) {
    using number = std::make_unsigned_t<Index>;  // whose sums may wrap around
    for (std::size_t i = begin; i != end; ++i) {
      static_cast<void>(std::invoke(
          f, static_cast<Index>(static_cast<number>(static_cast<number>(first) + static_cast<number>(i)))));
    }
  }
  [[nodiscard]] number_part split_off() { return *this; }
  void add(number_part&&) noexcept {}
};

/// Puts items together, from left to right.
template <class Iterator, class T, class Reduce, class Transform>
struct reduce_part {
  Iterator items;
  Reduce& reduce;
  Transform& transform;
  std::optional<T> sum{};  // of what this part has done; nothing before that

  // Called once: what is behind comes by add().
  void chunk(std::size_t begin, std::size_t end) {
    using distance = std::iter_difference_t<Iterator>;
    Iterator it = items + static_cast<distance>(begin);
    T here = std::invoke(transform, *it);  // a local one stays in a register
    for (++it, ++begin; begin != end; ++begin, ++it)
      here = std::invoke(reduce, std::move(here), std::invoke(transform, *it));
    sum.emplace(std::move(here));
  }
  [[nodiscard]] reduce_part split_off() { return {items, reduce, transform}; }
  void add(reduce_part&& behind) {
    sum.emplace(std::invoke(reduce, std::move(sum.value()), std::move(behind.sum.value())));
  }
};

}  // namespace tandem::detail

#endif
