// What when_all() and when_any() make: a state that is the callback of many others and keeps their futures until it is
// done. Starts no thread and blocks nobody.
#ifndef TANDEM_DETAIL_GATHERING_HPP
#define TANDEM_DETAIL_GATHERING_HPP

#include <tandem/detail/core.hpp>
#include <tandem/detail/future_range.hpp>
#include <tandem/detail/result.hpp>
#include <tandem/future.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <limits>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace tandem::detail {

/// The futures that are waited for: std::vector or std::tuple of them. Calls `each(core&)` in order.
template <class Future, class Each>
void for_each_state(const std::vector<Future>& futures, Each each) {
  for (const Future& f : futures) each(core_of(f, "when"));
}
template <class... Futures, class Each>
void for_each_state(const std::tuple<Futures...>& futures, Each each) {
  std::apply([&each](const Futures&... f) { (each(core_of(f, "when")), ...); }, futures);
}

/// `How` says what the value is and when it is there: see when_all.hpp, when_any.hpp.
template <class Futures, class How>
class gathering final : public result<typename How::template value<Futures>> {
  using base = result<typename How::template value<Futures>>;

 public:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  /// Watches all of them. Throws invalid_state_error if one has no state.
  static core_ptr<base> of(Futures futures) {
    core_ptr<gathering> made(new gathering(std::move(futures)));
    made->watch();
    return core_ptr<base>(std::move(made));
  }

  void execute() noexcept override {}
  /// Cancelled: lets the futures go.
  void drop_payload() noexcept override {
    detach_all();
    futures_.reset();
  }

 private:
  struct node final : callback {
    node(gathering& target, core& source, std::size_t position) noexcept
        : callback(kind::call), owner(&target), watched(&source), index(position) {}
    void fire(core&) noexcept override {
      const core_ptr<gathering> self(owner);
      owner->arrived(index);
    }
    void drop() noexcept override { owner->release(); }

    gathering* owner;
    core* watched;
    std::size_t index;
  };

  explicit gathering(Futures futures) : base(1), futures_(std::move(futures)) {
    std::size_t count = 0;
    for_each_state(*futures_, [&](core& c) { nodes_.emplace_back(*this, c, count++); });
    // One more than there are steps to take, so that nothing is complete before all are watched.
    missing_.store(How::steps(count) + 1, std::memory_order_relaxed);
    if (count == 0) missing_.store(1, std::memory_order_relaxed);
  }

  void watch() noexcept {
    for (node& n : nodes_) {
      this->add_ref();
      if (!n.watched->try_attach(&n)) n.fire(*n.watched);
    }
    take_step();
  }

  void arrived(std::size_t index) noexcept {
    std::size_t expected = none;
    const bool first = first_.compare_exchange_strong(expected, index, std::memory_order_acq_rel);
    if (first || How::every_counts) take_step();
  }

  // Acquire and release: the last one sees what all others have done.
  void take_step() noexcept {
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) != 1 || !this->try_start()) return;
    detach_all();  // of those that are not done nobody shall keep us
    this->emplace_from([this] {
      return How::template make<Futures>(std::move(*futures_), first_.load(std::memory_order_acquire));
    });
    futures_.reset();
    this->complete_value();
  }

  // Whoever has ended the pending phase. A node that is about to be fired all the same finds nothing to do.
  void detach_all() noexcept {
    for (const node& n : nodes_) {
      if (n.watched->done()) continue;
      n.watched->detach([&n](const callback* c) { return c == &n; });
    }
  }

  std::optional<Futures> futures_;  // of whoever ends the pending phase
  std::deque<node> nodes_;
  std::atomic<std::size_t> missing_{0};
  std::atomic<std::size_t> first_{none};
};

}  // namespace tandem::detail

#endif
