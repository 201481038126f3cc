// parallel_reduce(): the items of a range put together on the workers of a thread_pool.
#ifndef TANDEM_PARALLEL_REDUCE_HPP
#define TANDEM_PARALLEL_REDUCE_HPP

#include <tandem/config.hpp>
#include <tandem/detail/loop_parts.hpp>
#include <tandem/detail/run_on.hpp>
#include <tandem/detail/split.hpp>
#include <tandem/parallel_for.hpp>
#include <tandem/thread_pool.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <ranges>
#include <type_traits>
#include <utility>

namespace tandem {

namespace detail {

/// `reduce` can put together two results, and a result and a transformed item, in this order.
template <class Reduce, class T, class Item>
concept reduces = std::convertible_to<Item, T> && std::invocable<Reduce&, T, Item> &&
    std::invocable<Reduce&, T, T> && std::convertible_to<std::invoke_result_t<Reduce&, T, Item>, T> &&
    std::convertible_to<std::invoke_result_t<Reduce&, T, T>, T>;

}  // namespace detail

/// What parallel_reduce() can put together: `transform(item)` converts to `T`, and so does `reduce(T, T)` and
/// `reduce(T, transform(item))`.
template <class Range, class T, class Reduce, class Transform>
concept reducible = std::invocable<Transform&, std::ranges::range_reference_t<Range>> &&
    detail::reduces<Reduce, T, std::invoke_result_t<Transform&, std::ranges::range_reference_t<Range>>>;

/// Returns `init` and `transform(item)` of all items of the range, put together by `reduce(left, right)`.
///
/// As std::transform_reduce, but in the order of the range: `reduce` need not be commutative, only associative, and for
/// operations that are not, like the addition of floating-point numbers, the result may differ a little from call to call. How
/// the range is shared among workers: see parallel_for(). `reduce` and `transform` are called by several threads at once.
/// `T` can be moved, and what `transform` and `reduce` return converts to it.
///
/// Blocks. Allocates nothing by itself. May be called from any number of threads, and in itself.
/// @throws as parallel_for(), also what `reduce` throws
template <loop_range Range, std::movable T, class Reduce = std::plus<>, class Transform = std::identity>
  requires reducible<Range, T, Reduce, Transform>
[[nodiscard]] T parallel_reduce(loop_options options, Range&& range, T init, Reduce reduce = {},
                                Transform transform = {}) {
  detail::check_not_negative("loop_options::chunk_size", options.chunk_size);
  detail::reduce_part<std::ranges::iterator_t<Range>, T, Reduce, Transform> part{std::ranges::begin(range),
                                                                                 reduce, transform};
  detail::run_loop(detail::this_fork_place, static_cast<std::size_t>(std::ranges::size(range)),
                   options.chunk_size, part);
  if (!part.sum.has_value()) return init;
  return std::invoke(reduce, std::move(init), std::move(*part.sum));
}

/// The same, in chunks of measured size.
template <loop_range Range, std::movable T, class Reduce = std::plus<>, class Transform = std::identity>
  requires reducible<Range, T, Reduce, Transform>
[[nodiscard]] T parallel_reduce(Range&& range, T init, Reduce reduce = {}, Transform transform = {}) {
  return parallel_reduce(loop_options{}, range, std::move(init), std::move(reduce), std::move(transform));
}

/// The same on `pool`: from a task of that pool as above; from anywhere else as a task of it, for which the caller waits, and which
/// the caller itself runs, without the pool's workers, where a bounded pool is full and says so (when_full::run_in_caller).
/// @throws also what submit() throws: queue_full_error, shutdown_error, broken_pool_error
template <loop_range Range, std::movable T, class Reduce = std::plus<>, class Transform = std::identity>
  requires reducible<Range, T, Reduce, Transform>
[[nodiscard]] T parallel_reduce(thread_pool& pool, loop_options options, Range&& range, T init,
                                Reduce reduce = {}, Transform transform = {}) {
  return detail::run_on(pool, [&] {
    return parallel_reduce(options, range, std::move(init), std::move(reduce), std::move(transform));
  });
}

/// The same, in chunks of measured size.
template <loop_range Range, std::movable T, class Reduce = std::plus<>, class Transform = std::identity>
  requires reducible<Range, T, Reduce, Transform>
[[nodiscard]] T parallel_reduce(thread_pool& pool, Range&& range, T init, Reduce reduce = {},
                                Transform transform = {}) {
  return parallel_reduce(pool, loop_options{}, range, std::move(init), std::move(reduce),
                         std::move(transform));
}

}  // namespace tandem

#endif
