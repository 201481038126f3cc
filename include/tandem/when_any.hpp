// when_any(): one future for many, of any executors, done when the first of them is.
#ifndef TANDEM_WHEN_ANY_HPP
#define TANDEM_WHEN_ANY_HPP

#include <tandem/detail/gathering.hpp>
#include <tandem/when_all.hpp>

#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

namespace tandem {

/// What when_any() gives: the futures that it was given, and which of them was done first.
template <class Futures>
struct when_any_result {
  /// Position of the first one that was done; of none: the largest std::size_t.
  std::size_t index = std::numeric_limits<std::size_t>::max();
  /// std::vector or std::tuple; the others may be in any state.
  Futures futures;
};

namespace detail {

struct first_of_them {
  template <class Futures>
  using value = when_any_result<Futures>;
  static constexpr bool every_counts = false;
  static std::size_t steps(std::size_t) noexcept { return 1; }
  template <class Futures>
  static when_any_result<Futures> make(Futures futures, std::size_t first) noexcept {
    return {first, std::move(futures)};
  }
};

}  // namespace detail

/// A future of a when_any_result: of the given futures, and the index of the first one that was done, with a value, an
/// exception, or cancelled. If several are done already, it is the first of those.
///
/// No thread waits, and nothing stays behind in those that are not done. No futures: done at once. Cancelling the new
/// future leaves the others alone. @throws invalid_state_error if one has no state
template <class... Futures>
  requires(detail::any_future<Futures>&&...)
[[nodiscard]] auto when_any(Futures&&... futures) {
  return detail::gather<detail::first_of_them>(
      std::tuple<std::decay_t<Futures>...>(std::forward<Futures>(futures)...));
}

/// The same for a range, as for when_all().
template <class Range>
  requires(!detail::any_future<Range> && detail::gatherable_range<Range>)
[[nodiscard]] auto when_any(Range&& range) {
  return detail::gather<detail::first_of_them>(detail::take_futures(std::forward<Range>(range)));
}

}  // namespace tandem

#endif
