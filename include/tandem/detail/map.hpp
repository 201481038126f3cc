// map() and starmap(): eager, ordered. In this process the caller's own ranges are read by index (map_job.hpp); for
// other processes the inputs are copied into chunks, a few per worker on their way at a time.
#ifndef TANDEM_DETAIL_MAP_HPP
#define TANDEM_DETAIL_MAP_HPP

#include <tandem/detail/chunk_call.hpp>
#include <tandem/detail/chunking.hpp>
#include <tandem/detail/completion_queue.hpp>
#include <tandem/detail/imap.hpp>
#include <tandem/detail/map_inputs.hpp>
#include <tandem/detail/map_job.hpp>
#include <tandem/detail/map_slab.hpp>
#include <tandem/detail/task_sink.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace tandem::detail {

template <class F, class... Ranges>
concept map_callable = sizeof...(Ranges) > 0 && (std::input_iterator<iterator_of<Ranges>> && ...) &&
                       std::invocable<std::decay_t<F>&, reference_of<Ranges>...>;

template <class F, class Range>
concept starmap_callable = std::input_iterator<iterator_of<Range>> &&
    requires(std::decay_t<F>& f, reference_of<Range> t) {
  std::apply(f, static_cast<decltype(t)>(t));
};

/// What map() stores per item; void stays void.
template <class R>
using map_value_t = std::remove_cvref_t<R>;

/// The chunks of one remote map that are on their way, and the first failure in input order.
template <class Submitter, class Inputs, class Slab>
class remote_map {
  using item_type = typename Submitter::item_type;

 public:
  remote_map(Submitter submitter, const Inputs& inputs, Slab& slab, int chunk_size)
      : submitter_(std::move(submitter)),
        inputs_(inputs),
        slab_(slab),
        sizer_(chunk_size, chunk_target, submitter_.workers()),
        window_(3 * static_cast<std::size_t>(std::max(1, submitter_.workers()))),
        in_flight_(window_) {
    for (std::size_t i = 0; i < window_; ++i) free_.push_back(i);
  }

  void run() {
    do {
      while (!free_.empty() && next_ < std::min(inputs_.size(), failed_)) send_chunk();
    } while (take_result());
    if (error_) std::rethrow_exception(error_);
  }

 private:
  // Long against sending a chunk (tens of microseconds), short against what a user notices at the end.
  static constexpr std::chrono::microseconds chunk_target{500};

  struct chunk {
    future<typename Submitter::value_type> result;
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  void send_chunk() {
    const std::size_t begin = next_;
    try {
      const std::size_t size = std::min(sizer_.next(inputs_.size() - begin), inputs_.size() - begin);
      std::vector<item_type> items;
      items.reserve(size);
      for (std::size_t i = begin; i < begin + size; ++i) {
        inputs_.apply([&](auto&&... parts) { items.emplace_back(static_cast<decltype(parts)>(parts)...); },
                      i);
      }
      const std::size_t slot = free_.back();
      in_flight_[slot] = {submitter_.submit(std::move(items)), begin, size};
      free_.pop_back();
      next_ += size;
      queue_.watch(*access::state(in_flight_[slot].result), slot);
    } catch (...) {
      fail(begin, std::current_exception());
    }
  }

  // False when nothing is on its way any more.
  bool take_result() {
    const auto slot = queue_.pop(std::nullopt, helping::freely);
    if (!slot) return false;
    chunk done = std::move(in_flight_[*slot]);
    free_.push_back(*slot);
    try {
      auto part = done.result.get();
      check_chunk_size(part.values.size(), done.size);
      using element = typename decltype(part.values)::value_type;
      // A bool comes out of its vector by value.
      using moved = std::conditional_t<std::is_same_v<element, bool>, bool, element&&>;
      for (std::size_t i = 0; i < done.size; ++i) {
        slab_.put(done.begin + i, [&]() -> moved { return std::move(part.values[i]); });
      }
      sizer_.measured(done.size, std::chrono::nanoseconds(part.nanoseconds));
    } catch (...) {
      fail(done.begin, std::current_exception());
    }
    return true;
  }

  // Chunks behind the failed one are not sent, or cancelled if they have not started; those before it go on, so
  // that the error is that of a serial loop.
  void fail(std::size_t begin, std::exception_ptr error) {
    if (begin >= failed_) return;
    failed_ = begin;
    error_ = std::move(error);
    const auto cancel = [&](bool also_running) {
      for (chunk& c : in_flight_) {
        if (c.result.valid() && c.begin > begin && (also_running || !c.result.running())) c.result.cancel();
      }
    };
    cancel(false);  // first: what runs may end at once when asked to stop, and then none of these shall begin
    cancel(true);
  }

  Submitter submitter_;
  const Inputs& inputs_;
  Slab& slab_;
  chunk_sizer sizer_;
  const std::size_t window_;
  std::size_t next_ = 0;
  std::vector<chunk> in_flight_;
  std::vector<std::size_t> free_;  // indices into in_flight_
  completion_queue queue_;
  std::size_t failed_ = std::numeric_limits<std::size_t>::max();  // first input of the first failed chunk
  std::exception_ptr error_;
};

template <remote_mode Mode, class How, class F, class Item, class Inputs, class Slab>
void map_elsewhere(task_sink& sink, const Inputs& inputs, F& f, Slab& slab, int chunk_size) {
  using submitter = chunk_submitter<Mode, map_chunk<How>, F, Item>;
  remote_map<submitter, Inputs, Slab>(submitter(sink, f), inputs, slab, chunk_size).run();
}

/// A map with a time limit: collected from an imap, which can be left while calls are still running. Only the time
/// limit leaves any: after another exception the calls that run are awaited, as by every map.
template <class Value, class Imap>
auto collect(Imap results) {
  try {
    if constexpr (std::is_void_v<Value>) {
      for ([[maybe_unused]] auto& r : results) {}
    } else {
      std::vector<Value> values;
      for (auto& r : results) values.push_back(std::move(r));
      return values;
    }
  } catch (...) {
    if (!results.timed_out()) results.cancel_and_wait();
    throw;
  }
}

template <remote_mode Mode, class F, class... Ranges>
auto map_on(task_sink& sink, const map_options& options, F&& f, Ranges&&... ranges) {
  using function = std::decay_t<F>;
  using value = map_value_t<std::invoke_result_t<function&, reference_of<Ranges>...>>;
  using how = std::conditional_t<sizeof...(Ranges) == 1, plain_item, spread_tuple>;
  using item = typename packed<std::iter_value_t<iterator_of<Ranges>>...>::type;
  check_map_options(options);
  if (options.timeout.has_value()) {
    return collect<value>(imap_on<Mode>(sink, imap_order::input, options, std::forward<F>(f), ranges...));
  }
  function call(std::forward<F>(f));
  const auto inputs = make_inputs<Ranges...>(ranges...);
  map_slab<value> slab(inputs.size());
  if constexpr (Mode != remote_mode::never) {
    if (!sink.in_process()) {
      map_elsewhere<Mode, how, function, item>(sink, inputs, call, slab, options.chunk_size);
      return slab.take();
    }
  }
  map_in_process(sink, inputs, call, slab, options.chunk_size);
  return slab.take();
}

template <remote_mode Mode, class F, class Range>
auto starmap_on(task_sink& sink, const map_options& options, F&& f, Range&& range) {
  using function = std::decay_t<F>;
  using item = std::iter_value_t<iterator_of<Range>>;
  using value =
      map_value_t<decltype(std::apply(std::declval<function&>(), std::declval<reference_of<Range>>()))>;
  check_map_options(options);
  if (options.timeout.has_value()) {
    return collect<value>(imap_tuples_on<Mode>(sink, options, std::forward<F>(f), range));
  }
  function call(std::forward<F>(f));
  const auto inputs = make_inputs<Range>(range);
  map_slab<value> slab(inputs.size());
  if constexpr (Mode != remote_mode::never) {
    if (!sink.in_process()) {
      map_elsewhere<Mode, spread_tuple, function, item>(sink, inputs, call, slab, options.chunk_size);
      return slab.take();
    }
  }
  auto spread = [&call](auto&& tuple) -> decltype(auto) {
    return std::apply(call, static_cast<decltype(tuple)>(tuple));
  };
  map_in_process(sink, inputs, spread, slab, options.chunk_size);
  return slab.take();
}

}  // namespace tandem::detail

#endif
