// The inputs of map() as something with a size and an index, whatever ranges they come from: several ranges are
// zipped, the shortest ends. Copies values only from ranges that can be read once.
#ifndef TANDEM_DETAIL_MAP_INPUTS_HPP
#define TANDEM_DETAIL_MAP_INPUTS_HPP

#include <tandem/detail/future_range.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

namespace tandem::detail {

template <class Range>
concept sized_random_access = std::random_access_iterator<iterator_of<Range>> &&
    requires(std::remove_reference_t<Range>& r) {
  { std::end(r) - std::begin(r) } -> std::convertible_to<std::ptrdiff_t>;
};

/// All ranges can be indexed: nothing is stored but where they begin.
template <class... Ranges>
class indexed_inputs {
 public:
  explicit indexed_inputs(std::remove_reference_t<Ranges>&... ranges)
      : size_(std::min({static_cast<std::size_t>(std::end(ranges) - std::begin(ranges))...})),
        begins_(std::begin(ranges)...) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  template <class Function>
  decltype(auto) apply(Function&& function, std::size_t i) const {
    return std::apply(
        [&](const auto&... begins) -> decltype(auto) {
          return function(
              begins[static_cast<std::iter_difference_t<std::remove_cvref_t<decltype(begins)>>>(i)]...);
        },
        begins_);
  }

 private:
  std::size_t size_;
  std::tuple<iterator_of<Ranges>...> begins_;
};

/// How an element of a range that cannot be indexed is kept: by iterator where it stays, by value where it does not.
template <class Iterator>
class kept_element {
 public:
  explicit kept_element(const Iterator& it) : value_(*it) {}
  [[nodiscard]] auto& get() const noexcept { return value_; }

 private:
  mutable std::iter_value_t<Iterator> value_;
};

template <std::forward_iterator Iterator>
class kept_element<Iterator> {
 public:
  explicit kept_element(const Iterator& it) : it_(it) {}
  [[nodiscard]] decltype(auto) get() const { return *it_; }

 private:
  Iterator it_;
};

/// Walks the ranges once, in step, until the first one ends.
template <class... Ranges>
class collected_inputs {
 public:
  explicit collected_inputs(std::remove_reference_t<Ranges>&... ranges) {
    auto its = std::make_tuple(std::begin(ranges)...);
    const auto ends = std::make_tuple(std::end(ranges)...);
    collect(its, ends, std::index_sequence_for<Ranges...>());
  }

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

  template <class Function>
  decltype(auto) apply(Function&& function, std::size_t i) const {
    return std::apply([&](const auto&... kept) -> decltype(auto) { return function(kept.get()...); },
                      items_[i]);
  }

 private:
  template <class Its, class Ends, std::size_t... I>
  void collect(Its& its, const Ends& ends, std::index_sequence<I...>) {
    while (!((std::get<I>(its) == std::get<I>(ends)) || ...)) {
      items_.emplace_back(std::get<I>(its)...);
      (++std::get<I>(its), ...);
    }
  }

  std::vector<std::tuple<kept_element<iterator_of<Ranges>>...>> items_;
};

template <class... Ranges>
[[nodiscard]] auto make_inputs(std::remove_reference_t<Ranges>&... ranges) {
  if constexpr ((sized_random_access<Ranges> && ...)) {
    return indexed_inputs<Ranges...>(ranges...);
  } else {
    return collected_inputs<Ranges...>(ranges...);
  }
}

}  // namespace tandem::detail

#endif
