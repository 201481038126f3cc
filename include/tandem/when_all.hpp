// when_all(): one future for many, of any executors, done when all of them are.
#ifndef TANDEM_WHEN_ALL_HPP
#define TANDEM_WHEN_ALL_HPP

#include <tandem/detail/gathering.hpp>

#include <concepts>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace tandem {

namespace detail {

struct all_of_them {
  template <class Futures>
  using value = Futures;
  static constexpr bool every_counts = true;
  static std::size_t steps(std::size_t count) noexcept { return count; }
  template <class Futures>
  static Futures make(Futures futures, std::size_t) noexcept {
    return futures;
  }
};

/// A range whose elements can be taken out of it: futures of an rvalue, shared_futures of any.
template <class Range>
concept gatherable_range = std::input_iterator<iterator_of<Range>> &&
    any_future<std::iter_value_t<iterator_of<Range>>> &&
    (!std::is_lvalue_reference_v<Range> || std::copy_constructible<std::iter_value_t<iterator_of<Range>>>);

template <class Range>
[[nodiscard]] auto take_futures(Range&& range) {
  std::vector<std::iter_value_t<iterator_of<Range>>> futures;
  for (auto&& f : range) {
    if constexpr (std::is_lvalue_reference_v<Range>) {
      futures.push_back(f);
    } else {
      futures.push_back(std::move(f));
    }
  }
  return futures;
}

template <class How, class Futures>
[[nodiscard]] auto gather(Futures futures) {
  using state = gathering<Futures, How>;
  return access::make<future<typename How::template value<Futures>>>(state::of(std::move(futures)));
}

}  // namespace detail

/// A future of the given futures, all of them done: `std::tuple<future<A>, shared_future<B>>` for two.
///
/// Failures and cancels are outcomes as any: the new future has a value in any case, unless it is cancelled itself,
/// which leaves the others alone. No thread waits. No futures: done at once. @throws invalid_state_error if one has no
/// state
template <class... Futures>
  requires(detail::any_future<Futures>&&...)
[[nodiscard]] auto when_all(Futures&&... futures) {
  return detail::gather<detail::all_of_them>(
      std::tuple<std::decay_t<Futures>...>(std::forward<Futures>(futures)...));
}

/// A future of a std::vector of the futures of `range`, in order, all of them done. Futures are moved out of an rvalue
/// range (`when_all(std::move(fs))`); a range of shared_futures may be an lvalue.
template <class Range>
  requires(!detail::any_future<Range> && detail::gatherable_range<Range>)
[[nodiscard]] auto when_all(Range&& range) {
  return detail::gather<detail::all_of_them>(detail::take_futures(std::forward<Range>(range)));
}

}  // namespace tandem

#endif
