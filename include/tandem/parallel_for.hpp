// parallel_for(): a loop whose iterations run on the workers of a thread_pool.
#ifndef TANDEM_PARALLEL_FOR_HPP
#define TANDEM_PARALLEL_FOR_HPP

#include <tandem/config.hpp>
#include <tandem/detail/chunking.hpp>
#include <tandem/detail/loop_parts.hpp>
#include <tandem/detail/run_on.hpp>
#include <tandem/detail/split.hpp>
#include <tandem/thread_pool.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <ranges>
#include <type_traits>

namespace tandem {

/// How parallel_for() and parallel_reduce() go about it.
struct loop_options {
  /// Items that are done one after the other, without a look whether another worker is idle. 0: from one item on as many as take
  /// some ten microseconds, by the time that the chunks of this very call have taken: two readings of a clock for each.
  int chunk_size = 0;
};

/// What parallel_for() and parallel_reduce() loop over: a vector, an array, a span, std::views::iota(0, n).
template <class Range>
concept loop_range = std::ranges::random_access_range<Range> && std::ranges::sized_range<Range>;

/// Calls `f(item)` for each item of the range, and returns when all calls have returned.
///
/// The calls are made by the caller and by those workers of the pool, whose task calls this, that have nothing else to do:
/// in chunks, each from the front to the back; whatever nobody has begun can be taken by any of them, so items may take
/// differently long. Where the caller is no task of a thread_pool, it makes all calls itself. `f` is neither copied nor moved, and
/// called by several threads at once. Allocates nothing.
///
/// Blocks. A worker that has to wait for other workers helps them with what the loop has forked, and with nothing else. May be called
/// from any number of threads, and in itself.
/// @throws an exception of a call, the first one's that threw: then no further chunk is begun, items behind may or may not have been
/// passed to `f`, and calls that run find this_task::stop_requested();
/// cancelled_error if a task_group around this, in the same task, was cancelled; std::invalid_argument if a field of `options` is negative
template <loop_range Range, class F>
  requires std::invocable<F&, std::ranges::range_reference_t<Range>>
void parallel_for(loop_options options, Range&& range, F&& f) {
  detail::check_not_negative("loop_options::chunk_size", options.chunk_size);
  detail::for_part<std::ranges::iterator_t<Range>, std::remove_reference_t<F>> part{std::ranges::begin(range),
                                                                                    f};
  detail::run_loop(detail::this_fork_place, static_cast<std::size_t>(std::ranges::size(range)),
                   options.chunk_size, part);
}

/// The same, in chunks of measured size.
template <loop_range Range, class F>
  requires std::invocable<F&, std::ranges::range_reference_t<Range>>
void parallel_for(Range&& range, F&& f) { parallel_for(loop_options{}, range, f); }

/// The same for the numbers from `first` to `last`, without `last`; none if that is not larger. They have the type that
/// `first + last` has, but for integers smaller than int.
/// @throws as above; std::invalid_argument if that type cannot hold both: a negative number and an unsigned one
template <detail::number First, detail::number Last, class F>
  requires std::invocable<F&, std::common_type_t<First, Last>>
void parallel_for(loop_options options, First first, Last last, F&& f) {
  using Index = std::common_type_t<First, Last>;
  detail::check_not_negative("loop_options::chunk_size", options.chunk_size);
  const auto from = detail::checked_number<Index>(first);
  const auto to = detail::checked_number<Index>(last);
  if (!(from < to)) return;
  detail::number_part<Index, std::remove_reference_t<F>> part{from, f};
  // The difference is right also where it is more than an Index can hold.
  detail::run_loop(detail::this_fork_place, static_cast<std::size_t>(to) - static_cast<std::size_t>(from),
                   options.chunk_size, part);
}

/// The same, in chunks of measured size.
template <detail::number First, detail::number Last, class F>
  requires std::invocable<F&, std::common_type_t<First, Last>>
void parallel_for(First first, Last last, F&& f) { parallel_for(loop_options{}, first, last, f); }

/// The same on `pool`: from a task of that pool as above; from anywhere else as a task of it, for which the caller waits, and which
/// the caller itself runs, without the pool's workers, where a bounded pool is full and says so (when_full::run_in_caller).
/// @throws also what submit() throws: queue_full_error, shutdown_error, broken_pool_error
template <loop_range Range, class F>
  requires std::invocable<F&, std::ranges::range_reference_t<Range>>
void parallel_for(thread_pool& pool, loop_options options, Range&& range, F&& f) {
  detail::run_on(pool, [&] { parallel_for(options, range, f); });
}

/// The same, in chunks of measured size.
template <loop_range Range, class F>
  requires std::invocable<F&, std::ranges::range_reference_t<Range>>
void parallel_for(thread_pool& pool, Range&& range, F&& f) { parallel_for(pool, loop_options{}, range, f); }

/// The same for the numbers from `first` to `last`, without `last`.
template <detail::number First, detail::number Last, class F>
  requires std::invocable<F&, std::common_type_t<First, Last>>
void parallel_for(thread_pool& pool, loop_options options, First first, Last last, F&& f) {
  detail::run_on(pool, [&] { parallel_for(options, first, last, f); });
}

/// The same, in chunks of measured size.
template <detail::number First, detail::number Last, class F>
  requires std::invocable<F&, std::common_type_t<First, Last>>
void parallel_for(thread_pool& pool, First first, Last last, F&& f) {
  parallel_for(pool, loop_options{}, first, last, f);
}

}  // namespace tandem

#endif
