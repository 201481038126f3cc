// One task that makes many calls: what map() on other processes and imap() everywhere send instead of single items.
// The callable travels in a holder that knows how to cross; in this process it is shared, not copied.
#ifndef TANDEM_DETAIL_CHUNK_CALL_HPP
#define TANDEM_DETAIL_CHUNK_CALL_HPP

#include <tandem/detail/outcome.hpp>
#include <tandem/detail/remote.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/this_task.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace tandem::detail {

/// A result as an element of a range: references are kept as pointers would be, nothing becomes std::monostate.
template <class R>
using element_t = std::conditional_t<std::is_void_v<R>, std::monostate, std::remove_cvref_t<R>>;

/// The arguments of one call: a single one stands for itself, so that a chunk of ints is a vector of ints.
template <class... Args>
struct packed {
  using type = std::tuple<Args...>;
};
template <class Arg>
struct packed<Arg> {
  using type = Arg;
};

/// The arguments of one call that are given as one tuple.
struct spread_tuple {};
struct plain_item {};

/// Calls `f` with the parts of a packed item. Items are lvalues where the callable accepts that, else rvalues.
template <class How, class F, class Item>
decltype(auto) call_item(F& f, Item& item) {
  constexpr auto invoke = [](F& function, auto&... parts) -> decltype(auto) {
    if constexpr (std::is_invocable_v<F&, decltype(parts)...>) {
      return std::invoke(function, parts...);
    } else {
      return std::invoke(function, std::move(parts)...);
    }
  };
  if constexpr (std::is_same_v<How, spread_tuple>) {
    return std::apply([&](auto&... parts) -> decltype(auto) { return invoke(f, parts...); }, item);
  } else {
    return invoke(f, item);
  }
}

template <class How, class F, class Item>
using item_result_t = element_t<decltype(call_item<How>(std::declval<F&>(), std::declval<Item&>()))>;

/// What a chunk gives back, and how long its calls took: the measure for the next chunk's size.
template <class T>
struct timed_values {
  std::vector<T> values;
  std::int64_t nanoseconds = 0;
};

template <class How, class F, class Item>
item_result_t<How, F, Item> call_for_element(F& f, Item& item) {
  if constexpr (std::is_void_v<decltype(call_item<How>(f, item))>) {
    call_item<How>(f, item);
    return {};
  } else {
    return call_item<How>(f, item);
  }
}

/// The chunk of map(): the first exception ends it and is the task's.
template <class How>
struct map_chunk {
  template <class F, class Item>
  static timed_values<item_result_t<How, F, Item>> run(F& f, std::vector<Item>& items) {
    timed_values<item_result_t<How, F, Item>> out;
    out.values.reserve(items.size());
    const auto begin = std::chrono::steady_clock::now();
    for (auto&& item : items) out.values.push_back(call_for_element<How>(f, item));
    out.nanoseconds = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
    return out;
  }
};

/// The chunk of imap(): each item has its own outcome. Ends early when the range is gone.
template <class How>
struct imap_chunk {
  template <class F, class Item>
  static timed_values<outcome<item_result_t<How, F, Item>>> run(F& f, std::vector<Item>& items) {
    timed_values<outcome<item_result_t<How, F, Item>>> out;
    out.values.reserve(items.size());
    const auto begin = std::chrono::steady_clock::now();
    for (auto&& item : items) {
      if (this_task::stop_requested()) break;
      try {
        out.values.emplace_back(std::in_place, call_for_element<How>(f, item));
      } catch (...) {
        out.values.emplace_back(std::current_exception());
      }
    }
    out.nanoseconds = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
    return out;
  }
};

/// The callable of a chunk task that may run in another process: empty itself, the user's callable is an argument.
template <class Chunk, class F, class Item>
struct remote_chunk {
  auto operator()(F f, std::vector<Item> items) const { return Chunk::run(f, items); }
};

/// Submits chunks of one call's items.
template <remote_mode Mode, class Chunk, class F, class Item>
class chunk_submitter {
 public:
  template <class Function>
  chunk_submitter(task_sink& sink, Function&& f)
      : sink_(&sink), f_(std::make_shared<F>(std::forward<Function>(f))) {}

  using item_type = Item;
  using value_type = decltype(Chunk::run(std::declval<F&>(), std::declval<std::vector<Item>&>()));

  [[nodiscard]] future<value_type> submit(std::vector<Item> items) {
    if constexpr (Mode != remote_mode::never) {
      if (!sink_->in_process()) {
        if constexpr (std::is_copy_constructible_v<F>) {
          return send<Mode>(remote_chunk<Chunk, F, Item>{}, F(*f_), std::move(items));
        }
      }
    }
    return send<remote_mode::never>([f = f_](std::vector<Item>&& chunk) { return Chunk::run(*f, chunk); },
                                    std::move(items));
  }

  [[nodiscard]] int workers() const noexcept { return sink_->max_workers(); }

 private:
  // As submit_to(), but never rejected by a full queue: the window is a bound of its own.
  template <remote_mode TaskMode, class Call, class... Parts>
  [[nodiscard]] future<value_type> send(Call&& call, Parts&&... parts) {
    auto* raw = new_task<TaskMode>(2, std::forward<Call>(call), std::forward<Parts>(parts)...);
    core_ptr<result<value_type>> mine(raw);
    sink_->enqueue_chunk(core_ptr<core>(raw));
    return access::make_future<value_type>(std::move(mine));
  }

  task_sink* sink_;
  std::shared_ptr<F> f_;
};

}  // namespace tandem::detail

#endif
