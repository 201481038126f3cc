// as_completed(): the elements of a range of futures, in the order in which they finish.
#ifndef TANDEM_AS_COMPLETED_HPP
#define TANDEM_AS_COMPLETED_HPP

#include <tandem/detail/completion_queue.hpp>
#include <tandem/detail/future_range.hpp>
#include <tandem/future.hpp>

#include <cstddef>
#include <iterator>
#include <optional>
#include <vector>

namespace tandem {

namespace detail {

[[noreturn]] TANDEM_API void throw_as_completed_timeout(std::size_t unfinished, std::size_t all);

/// The range that as_completed() returns. Single pass.
template <class Range, class Projection>
class as_completed_range {
 public:
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = std::iter_value_t<iterator_of<Range>>;
    using difference_type = std::ptrdiff_t;
    using reference = reference_of<Range>;

    iterator() noexcept = default;
    [[nodiscard]] reference operator*() const { return *range_->elements_[*range_->current_]; }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return !range_->current_; }

   private:
    friend class as_completed_range;
    explicit iterator(as_completed_range* range) noexcept : range_(range) {}
    as_completed_range* range_ = nullptr;
  };

  as_completed_range(const as_completed_range&) = delete;  // its iterators refer to it
  as_completed_range& operator=(const as_completed_range&) = delete;
  /// Watches all elements from now on.
  as_completed_range(Range&& range, Projection projection, time_limit timeout)
      : range_(std::forward<Range>(range)), deadline_(timeout.deadline()) {
    std::vector<std::size_t> unfinished;
    first_time first_time;
    std::vector<core*> tasks;
    auto& elements = range_.get();
    for (auto it = std::begin(elements); it != std::end(elements); ++it) {
      core& task = core_of(std::invoke(projection, *it), "as_completed");
      if (!first_time(task)) continue;
      elements_.push_back(it);
      tasks.push_back(&task);
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (tasks[i]->done())
        queue_.watch(*tasks[i], i);  // finished ones first
      else
        unfinished.push_back(i);
    }
    for (const std::size_t i : unfinished) queue_.watch(*tasks[i], i);
  }

  /// Blocks until the first one is done.
  [[nodiscard]] iterator begin() {
    if (!started_) advance();
    started_ = true;
    return iterator(this);
  }
  /// Reached when all have been given.
  [[nodiscard]] static std::default_sentinel_t end() noexcept { return std::default_sentinel; }

 private:
  void advance() {
    current_ = std::nullopt;
    if (queue_.size() == 0) return;
    current_ = queue_.pop(deadline_, helping::if_stuck);
    if (!current_) throw_as_completed_timeout(queue_.size(), elements_.size());
  }

  range_holder<Range> range_;
  std::optional<time_point> deadline_;
  std::vector<iterator_of<Range>> elements_;
  completion_queue queue_;
  std::optional<std::size_t> current_;
  bool started_ = false;
};

}  // namespace detail

/// The elements of `range` as their futures finish: those that are finished now first, then in order of completion.
///
/// @param range  any forward range of futures or shared_futures, or of things from which a projection (the other
///   overloads) gets one. An lvalue must live, unchanged, as long as the result; an rvalue is kept by it.
/// @param timeout  from this call on, any std::chrono::duration; when it is over, the next step throws
///   timeout_error that tells how many are unfinished
/// @return an input range of references to the range's own elements; each state is given once. Advancing it blocks
///   until the next future finishes. On a worker of the futures' own pool it cannot deadlock: a thread_pool brings in
///   a spare worker; where none can come, it runs a task that has not started itself, unless there is a timeout.
///   Breaking out early is fine.
/// @throws invalid_state_error if an element has no state
///
/// Futures may belong to different executors. O(1) per completion. The result belongs to one thread.
template <class Range>
  requires detail::future_range<Range, std::identity>
[[nodiscard]] auto as_completed(Range&& range, time_limit timeout = {}) {
  return detail::as_completed_range<Range, std::identity>(std::forward<Range>(range), {}, timeout);
}

/// With a timeout and a projection.
template <class Range, class Projection>
  requires detail::future_range<Range, Projection>
[[nodiscard]] auto as_completed(Range&& range, time_limit timeout, Projection projection) {
  return detail::as_completed_range<Range, Projection>(std::forward<Range>(range), std::move(projection),
                                                       timeout);
}

/// With a projection.
/// @param range  as above
/// @param projection  a member pointer or function from an element to its future
template <class Range, class Projection>
  requires detail::future_range<Range, Projection>
[[nodiscard]] auto as_completed(Range&& range, Projection projection) {
  return detail::as_completed_range<Range, Projection>(std::forward<Range>(range), std::move(projection), {});
}

}  // namespace tandem

#endif
