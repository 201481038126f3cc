// submit_each(): a task per item of a range, handed over in batches.
#ifndef TANDEM_DETAIL_EACH_HPP
#define TANDEM_DETAIL_EACH_HPP

#include <tandem/detail/access.hpp>
#include <tandem/detail/future_range.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/detail/task_sink.hpp>
#include <tandem/future.hpp>
#include <tandem/task_options.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <ranges>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

namespace tandem::detail {

template <class Range>
using item_of = std::iter_value_t<iterator_of<Range>>;

/// Made tasks that wait to be handed over. Large enough that a look at the workers for each batch costs nothing, small
/// enough that the first task does not wait long for the last.
class task_batch {
 public:
  explicit task_batch(task_sink& sink) noexcept : sink_(sink) {}

  void add(core_ptr<core> task) {
    if (count_ == tasks_.size()) flush();
    tasks_[count_++] = std::move(task);
  }
  void flush() {
    sink_.enqueue_all(std::span(tasks_).first(count_));
    count_ = 0;
  }

 private:
  task_sink& sink_;
  std::array<core_ptr<core>, 256> tasks_;
  std::size_t count_ = 0;
};

/// The item at `it`: moved out of a range that the caller gives away.
template <class Range, class Iterator>
[[nodiscard]] item_of<Range> item_at(const Iterator& it) {
  if constexpr (std::is_lvalue_reference_v<Range> || std::ranges::view<std::remove_cvref_t<Range>>) {
    return *it;
  } else {
    return static_cast<std::iter_rvalue_reference_t<Iterator>>(*it);
  }
}

/// `options` may be null.
template <remote_mode Mode, class F, class Range>
[[nodiscard]] auto submit_each_to(task_sink& sink, const task_options* options, F&& f, Range&& range) {
  using function = std::decay_t<F>;
  using value_type = call_result_t<function, item_of<Range>>;
  const function& call = f;
  std::vector<future<value_type>> futures;
  if constexpr (std::ranges::sized_range<Range>)
    futures.reserve(static_cast<std::size_t>(std::ranges::size(range)));
  task_batch batch(sink);
  try {
    const auto end = std::end(range);
    for (auto it = std::begin(range); it != end; ++it) {
      auto* raw = new_task<Mode>(2, call, item_at<Range>(it));
      core_ptr<result<value_type>> mine(raw);
      core_ptr<core> task(raw);
      futures.push_back(access::make_future<value_type>(std::move(mine)));
      if (options == nullptr) {
        batch.add(std::move(task));
      } else {
        send(std::make_unique<task_options>(*options), std::move(task),
             [&batch](core_ptr<core> ready) { batch.add(std::move(ready)); });
      }
    }
    batch.flush();
  } catch (...) {
    // From the last one on: asked to stop, the first may end at once, and then none behind it shall begin.
    for (auto it = futures.rbegin(); it != futures.rend(); ++it) it->cancel();
    throw;
  }
  return futures;
}

}  // namespace tandem::detail

#endif
