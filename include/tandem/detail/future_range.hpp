// What wait() and as_completed() accept: a range whose elements are futures, or lead to one by a projection.
#ifndef TANDEM_DETAIL_FUTURE_RANGE_HPP
#define TANDEM_DETAIL_FUTURE_RANGE_HPP

#include <tandem/future.hpp>

#include <concepts>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <unordered_set>
#include <utility>

namespace tandem::detail {

template <class T>
std::true_type derives_from_future_base(const future_base<T>&);
std::false_type derives_from_future_base(...);

template <class T>
concept any_future =
    decltype(derives_from_future_base(std::declval<const std::remove_reference_t<T>&>()))::value;

template <class Range>
using iterator_of = decltype(std::begin(std::declval<std::remove_reference_t<Range>&>()));

template <class Range>
using reference_of = std::iter_reference_t<iterator_of<Range>>;

template <class Range, class Projection>
concept future_range =
    std::forward_iterator<iterator_of<Range>> && std::invocable<Projection&, reference_of<Range>> &&
    any_future<std::invoke_result_t<Projection&, reference_of<Range>>>;

/// The state of an element's future; throws invalid_state_error if it has none.
template <class Future>
core& core_of(const Future& f, const char* what) {
  core* state = access::state(f);
  if (state == nullptr) throw_no_state(what);
  return *state;
}

/// Lets each state pass once: shared futures may stand in a range more than once.
class first_time {
 public:
  bool operator()(const core& c) { return seen_.insert(&c).second; }

 private:
  std::unordered_set<const core*> seen_;
};

/// Holds a range that was given as an rvalue, refers to one that was given as an lvalue.
template <class Range>
class range_holder {
 public:
  explicit range_holder(Range&& range) : range_(std::move(range)) {}
  [[nodiscard]] Range& get() noexcept { return range_; }

 private:
  Range range_;
};

template <class Range>
class range_holder<Range&> {
 public:
  explicit range_holder(Range& range) noexcept : range_(std::addressof(range)) {}
  [[nodiscard]] Range& get() noexcept { return *range_; }

 private:
  Range* range_;
};

}  // namespace tandem::detail

#endif
