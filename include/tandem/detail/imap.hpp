// imap() and imap_unordered(): a range of results that takes its inputs a window ahead of the reader and sends them
// in chunks. The range is the only consumer; its thread alone reads the inputs.
#ifndef TANDEM_DETAIL_IMAP_HPP
#define TANDEM_DETAIL_IMAP_HPP

#include <tandem/detail/chunk_call.hpp>
#include <tandem/detail/chunking.hpp>
#include <tandem/detail/completion_queue.hpp>
#include <tandem/detail/future_range.hpp>
#include <tandem/task_options.hpp>

#include <cstddef>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace tandem::detail {

enum class imap_order { input, completion };

TANDEM_API void check_map_options(const map_options& options);
/// Throws decode_error if a chunk came back with another number of results than it has items.
TANDEM_API void check_chunk_size(std::size_t results, std::size_t items);
[[noreturn]] TANDEM_API void throw_imap_timeout(std::size_t yielded);

/// Takes inputs and sends them: what of an imap depends on the types of its ranges and callable.
template <class R>
class imap_source {
 public:
  using chunk_future = future<timed_values<outcome<R>>>;
  virtual ~imap_source() = default;
  /// Sends one chunk of up to `most` inputs and says in `taken` how many; a future without a state at the end of
  /// the inputs. Throws what the input ranges or the executor throw; then `taken` is 0.
  virtual chunk_future send(std::size_t most, std::size_t& taken) = 0;
  [[nodiscard]] virtual int workers() const noexcept = 0;
};

template <class Submitter, class R, class... Ranges>
class range_source final : public imap_source<R> {
  using item_type = typename Submitter::item_type;

 public:
  template <class... Given>
  explicit range_source(Submitter submitter, Given&&... ranges)
      : submitter_(std::move(submitter)), ranges_(range_holder<Ranges>(std::forward<Given>(ranges))...) {}

  typename imap_source<R>::chunk_future send(std::size_t most, std::size_t& taken) override {
    taken = 0;
    std::vector<item_type> items;
    try {
      collect(items, most, std::index_sequence_for<Ranges...>());
    } catch (...) {
      // What was read before goes first; the exception follows in its place.
      if (items.empty()) {
        ended_ = true;
        throw;
      }
      failure_ = std::current_exception();
    }
    if (items.empty()) return {};
    const std::size_t size = items.size();
    auto sent = submitter_.submit(std::move(items));
    taken = size;
    return sent;
  }

  [[nodiscard]] int workers() const noexcept override { return submitter_.workers(); }

 private:
  using iterators = std::tuple<std::optional<iterator_of<Ranges>>...>;

  template <std::size_t... I>
  void collect(std::vector<item_type>& items, std::size_t most, std::index_sequence<I...>) {
    if (failure_) {
      ended_ = true;
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    while (!ended_ && items.size() < most) {
      // Advanced before reading, not after: an infinite generator is asked for nothing that will not be sent.
      if (!std::get<0>(its_)) {
        (std::get<I>(its_).emplace(std::begin(std::get<I>(ranges_).get())), ...);
      } else {
        (++*std::get<I>(its_), ...);
      }
      if (((*std::get<I>(its_) == std::end(std::get<I>(ranges_).get())) || ...)) {
        ended_ = true;
        return;
      }
      items.emplace_back(**std::get<I>(its_)...);
    }
  }

  Submitter submitter_;
  std::tuple<range_holder<Ranges>...> ranges_;
  iterators its_;
  bool ended_ = false;
  std::exception_ptr failure_;
};

/// The range that imap() and imap_unordered() return: single pass, movable while no iterator is in use, for one
/// thread. Must be destroyed before its executor.
template <class R>
class imap_range {
 public:
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = R;
    using difference_type = std::ptrdiff_t;
    using reference = R&;

    iterator() noexcept = default;
    /// Waits for the result at this position; throws what its call threw, or timeout_error.
    [[nodiscard]] R& operator*() const { return range_->current(); }
    [[nodiscard]] R* operator->() const { return std::addressof(range_->current()); }
    iterator& operator++() {
      range_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    /// Waits for nothing: tells whether there is an input left that has not been passed.
    [[nodiscard]] bool operator==(std::default_sentinel_t) const { return range_->at_end(); }

   private:
    friend class imap_range;
    explicit iterator(imap_range* range) noexcept : range_(range) {}
    imap_range* range_ = nullptr;
  };

  imap_range(std::unique_ptr<imap_source<R>> source, imap_order order, const map_options& options)
      : source_(std::move(source)),
        order_(order),
        sizer_(options.chunk_size, chunk_target, source_->workers()),
        window_(static_cast<std::size_t>(options.window)),
        deadline_(options.timeout.deadline()) {
    refill();
  }
  imap_range(imap_range&&) noexcept = default;
  imap_range& operator=(imap_range&&) = delete;

  /// Cancels what has not started and waits for what runs.
  void cancel_and_wait() {
    chunks_.cancel();
    for (auto& [key, c] : chunks_) c.result.wait();
  }
  /// Tells whether a step has thrown because map_options::timeout was over.
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

  [[nodiscard]] iterator begin() { return iterator(this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  using chunk_future = typename imap_source<R>::chunk_future;
  static constexpr std::chrono::microseconds chunk_target{200};

  struct chunk {
    chunk_future result;
    std::size_t size = 0;
  };

  // Chunks on their way, in order of the inputs. A member of its own, so that they are cancelled also when the range's
  // constructor throws.
  class flying_chunks : public std::map<std::size_t, chunk> {
   public:
    flying_chunks() = default;
    flying_chunks(flying_chunks&&) noexcept = default;
    flying_chunks& operator=(flying_chunks&&) = delete;
    ~flying_chunks() { cancel(); }
    // From the last one on: asked to stop, the first may end at once, and then none behind it shall begin.
    void cancel() {
      for (auto it = this->rbegin(); it != this->rend(); ++it) it->second.result.cancel();
    }
  };

  [[nodiscard]] std::size_t workers() const noexcept {
    return static_cast<std::size_t>(std::max(1, source_->workers()));
  }

  // Inputs that may be on their way: taken, and not yet passed by the reader.
  [[nodiscard]] std::size_t window() const noexcept {
    return window_ != 0 ? window_ : 4 * workers() * sizer_.size();
  }

  // Not what is left of the window: as the reader goes on that is one item at a time.
  [[nodiscard]] std::size_t next_chunk() const noexcept {
    return std::min(window(), sizer_.next(2 * window()));
  }

  void refill() {
    while (!source_ended_) {
      const std::size_t wanted = next_chunk();
      if (taken_ - passed_ + wanted > window()) return;  // never when nothing is on its way
      std::size_t taken = 0;
      chunk c;
      try {
        c.result = source_->send(wanted, taken);
      } catch (...) {
        c.result = failed_chunk(std::current_exception());
        taken = 1;
        source_ended_ = true;
      }
      if (taken == 0) {
        source_ended_ = true;
        return;
      }
      c.size = taken;
      keep(std::move(c));
      taken_ += taken;
    }
  }

  void keep(chunk c) {
    core& task = *access::state(c.result);
    const std::size_t key = next_key_++;
    try {
      const auto it = chunks_.emplace_hint(chunks_.end(), key, std::move(c));
      if (order_ != imap_order::completion) return;
      try {
        queue_.watch(task, key);
      } catch (...) {
        it->second.result.cancel();
        chunks_.erase(it);
        throw;
      }
    } catch (...) {
      if (c.result.valid()) c.result.cancel();
      source_ended_ = true;  // its inputs are lost, so the rest would not be in its place
      throw;
    }
  }

  // An input that could not be read is an item that failed.
  static chunk_future failed_chunk(std::exception_ptr error) {
    promise<timed_values<outcome<R>>> p;
    timed_values<outcome<R>> one;
    one.values.emplace_back(std::move(error));
    p.set_value(std::move(one));
    return p.get_future();
  }

  [[nodiscard]] bool at_end() {
    if (items_left_ > 0) return false;
    refill();
    return chunks_.empty();
  }

  // Makes the next chunk the current one, waiting for it.
  void load() {
    if (items_left_ > 0) return;
    refill();
    auto it = chunks_.begin();
    if (order_ == imap_order::completion) {
      const auto key = queue_.pop(deadline_, helping::if_stuck);
      if (!key) time_is_over();
      it = chunks_.find(*key);
    } else if (!access::state(it->second.result)->wait(deadline_)) {
      time_is_over();
    }
    chunk done = std::move(it->second);
    chunks_.erase(it);
    items_left_ = done.size;
    position_ = 0;
    failure_ = nullptr;
    try {
      items_ = done.result.get();
      check_chunk_size(items_.values.size(), done.size);
      sizer_.measured(done.size, std::chrono::nanoseconds(items_.nanoseconds));
    } catch (...) {
      failure_ = std::current_exception();  // of the chunk as a whole: each of its items has it
    }
  }

  [[noreturn]] void time_is_over() {
    timed_out_ = true;
    throw_imap_timeout(passed_);
  }

  [[nodiscard]] R& current() {
    load();
    if (failure_) std::rethrow_exception(failure_);
    outcome<R>& item = items_.values[position_];
    if (!item.has_value()) std::rethrow_exception(item.exception());
    return item.value();
  }

  void advance() {
    load();
    ++position_;
    --items_left_;
    ++passed_;
    refill();
  }

  std::unique_ptr<imap_source<R>> source_;
  imap_order order_;
  chunk_sizer sizer_;
  std::size_t window_;
  std::optional<time_point> deadline_;
  bool source_ended_ = false;
  std::size_t taken_ = 0;
  std::size_t passed_ = 0;
  std::size_t next_key_ = 0;
  bool timed_out_ = false;
  flying_chunks chunks_;
  completion_queue queue_;          // order_ == completion: their keys
  timed_values<outcome<R>> items_;  // the current chunk, from position_ on
  std::size_t position_ = 0;
  std::size_t items_left_ = 0;
  std::exception_ptr failure_;
};

template <remote_mode Mode, class How, class Item, class F, class... Ranges>
auto make_imap(task_sink& sink, imap_order order, const map_options& options, F&& f, Ranges&&... ranges) {
  using function = std::decay_t<F>;
  using element = item_result_t<How, function, Item>;
  using submitter = chunk_submitter<Mode, imap_chunk<How>, function, Item>;
  using source = range_source<submitter, element, Ranges...>;
  check_map_options(options);
  return imap_range<element>(
      std::make_unique<source>(submitter(sink, std::forward<F>(f)), std::forward<Ranges>(ranges)...), order,
      options);
}

template <remote_mode Mode, class F, class... Ranges>
auto imap_on(task_sink& sink, imap_order order, const map_options& options, F&& f, Ranges&&... ranges) {
  using how = std::conditional_t<sizeof...(Ranges) == 1, plain_item, spread_tuple>;
  using item = typename packed<std::iter_value_t<iterator_of<Ranges>>...>::type;
  return make_imap<Mode, how, item>(sink, order, options, std::forward<F>(f),
                                    std::forward<Ranges>(ranges)...);
}

template <remote_mode Mode, class F, class Range>
auto imap_tuples_on(task_sink& sink, const map_options& options, F&& f, Range&& range) {
  using item = std::iter_value_t<iterator_of<Range>>;
  return make_imap<Mode, spread_tuple, item>(sink, imap_order::input, options, std::forward<F>(f),
                                             std::forward<Range>(range));
}

}  // namespace tandem::detail

#endif
