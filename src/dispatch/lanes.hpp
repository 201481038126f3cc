// The queue from outside, by priority: the normal injector, and one for urgent tasks and one for those that can wait,
// which are made when the first such task comes. A pool that never sees one pays a load and a branch for them.
// README.md of this room has why "work" is what lies in any of them.
#ifndef TANDEM_DISPATCH_LANES_HPP
#define TANDEM_DISPATCH_LANES_HPP

#include <tandem/task_options.hpp>

#include "dispatch/ageing.hpp"
#include "dispatch/injector.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace tandem::dispatch {

/// All members but the destructor may be called by any thread at any time.
template <class T>
class lanes {
 public:
  /// @throws std::bad_alloc
  lanes() = default;

  /// Before a push() of that priority. @throws std::bad_alloc
  void prepare(priority which) {
    if (which != priority::normal && !in_use()) make_extra();
  }
  /// Puts an item behind all others of its priority; false if the queue is closed.
  [[nodiscard]] bool push(T* item, priority which) noexcept { return of(which).push(item); }

  /// There has been an item that is not of normal priority. ORDER call-park: seq_cst; whoever makes the lanes publishes
  /// an item in them afterwards and then looks at the roster. Who reads "no" here has taken its step before that look.
  [[nodiscard]] bool in_use() const noexcept { return extra_.load(std::memory_order_seq_cst) != nullptr; }

  /// The lane of a priority; others than normal only if in_use().
  [[nodiscard]] injector<T>& of(priority which) noexcept {
    if (which == priority::normal) [[likely]]
      return normal_;
    extra_lanes& extra = *extra_.load(std::memory_order_seq_cst);
    return which == priority::high ? extra.high : extra.low;
  }

  /// The item whose turn it is, or null. Null though it is not empty() is possible, as for injector::pop().
  [[nodiscard]] T* pop_next(ageing& turns) noexcept {
    T* item = nullptr;
    if (!in_use()) [[likely]] {
      static_cast<void>(normal_.pop(&item, 1));
      return item;
    }
    const auto waits = [this](priority which) noexcept { return !of(which).empty(); };
    const priority first = turns.choose(waits(priority::high), waits(priority::normal), waits(priority::low));
    if (of(first).pop(&item, 1) != 0) return item;
    return pop_some(&item, 1) != 0 ? item : nullptr;
  }

  /// Takes items of one priority, the highest that there is; how many. For whoever empties the queue.
  std::size_t pop_some(T** out, std::size_t most) noexcept {
    if (!in_use()) return normal_.pop(out, most);
    for (const priority which : in_order) {
      if (const std::size_t count = of(which).pop(out, most); count != 0) return count;
    }
    return 0;
  }

  /// From now on push() returns false. When it returns, what was pushed before can still be taken, and nothing is added.
  void close() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    normal_.close();
    if (!extra_owner_) return;
    extra_owner_->high.close();
    extra_owner_->low.close();
  }

  [[nodiscard]] bool empty() const noexcept {
    if (!normal_.empty()) return false;
    const extra_lanes* extra = extra_.load(std::memory_order_seq_cst);
    return extra == nullptr || (extra->high.empty() && extra->low.empty());
  }
  [[nodiscard]] std::size_t size() const noexcept {
    const extra_lanes* extra = extra_.load(std::memory_order_seq_cst);
    return normal_.size() + (extra == nullptr ? 0 : extra->high.size() + extra->low.size());
  }
  /// How many items were pushed since the start.
  [[nodiscard]] std::uint64_t pushed() const noexcept {
    const extra_lanes* extra = extra_.load(std::memory_order_seq_cst);
    return normal_.pushed() + (extra == nullptr ? 0 : extra->high.pushed() + extra->low.pushed());
  }

  static constexpr std::array<priority, 3> in_order{priority::high, priority::normal, priority::low};

 private:
  struct extra_lanes {
    injector<T> high;
    injector<T> low;
  };

  void make_extra() {
    const std::lock_guard lock(mutex_);
    if (extra_owner_) return;
    auto extra = std::make_unique<extra_lanes>();
    if (closed_) {
      extra->high.close();
      extra->low.close();
    }
    extra_owner_ = std::move(extra);
    extra_.store(extra_owner_.get(), std::memory_order_seq_cst);
  }

  injector<T> normal_;
  // A line that is read for every task, and written once.
  alignas(64) std::atomic<extra_lanes*> extra_{nullptr};
  std::mutex mutex_;  // guards what follows, so that a lane is either made before close() or born closed
  std::unique_ptr<extra_lanes> extra_owner_;
  bool closed_ = false;
};

}  // namespace tandem::dispatch

#endif
