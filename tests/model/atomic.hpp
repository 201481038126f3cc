// An atomic variable that remembers all that was ever stored in it, and lets a load see any of it that C++'s memory model
// allows: not what the thread knows to be overwritten, by happens-before, by what it has seen before, or by the order of
// the sequentially consistent operations. And a plain variable that notices a race.
#ifndef TANDEM_TESTS_MODEL_ATOMIC_HPP
#define TANDEM_TESTS_MODEL_ATOMIC_HPP

#include "model/explorer.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace tandem::model {

inline bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst || order == std::memory_order_consume;
}
inline bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}
inline void learn(clocks& mine, const clocks& theirs) {
  for (std::size_t i = 0; i < theirs.size(); ++i) mine[i] = std::max(mine[i], theirs[i]);
}

template <class T>
class atomic {
 public:
  atomic() : atomic(T()) {}
  atomic(T value) {  // NOLINT: as std::atomic
    if (detail::is_exploring()) {
      detail::remove_destroyed(this);
      stores_.push_back({value, detail::this_thread(), detail::tick(), {}});
    } else {
      stores_.push_back({value, 0, 0, {}});
      detail::add_lasting(this, [this, value] {
        stores_.assign(1, {value, 0, 0, {}});
        seen_.clear();
        again_ = 0;
        seq_cst_floor_ = 0;
      });
      lasting_ = true;
    }
  }
  // Whoever frees the memory knows that all others have done with it.
  ~atomic() {
    if (lasting_) detail::remove_lasting(this);
    if (lasting_ || !detail::is_exploring()) return;
    const clocks& mine = detail::clock_of(detail::this_thread());
    for (const seen& s : seen_) {
      if (mine[static_cast<std::size_t>(s.by)] < s.when)
        detail::fail("destroyed while another may still look at it");
    }
    for (const stored& s : stores_) {
      if (mine[static_cast<std::size_t>(s.by)] < s.when)
        detail::fail("destroyed while another may still write it");
    }
    detail::add_destroyed(this);
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const {
    step();
    const int self = detail::this_thread();
    clocks& mine = detail::clock_of(self);
    const std::size_t first = oldest_visible(mine, order);
    const std::size_t last = stores_.size() - 1;
    // A store becomes visible in the end: nobody sees the same old one again and again.
    const bool newest_only =
        !seen_.empty() && seen_.back().by == self && seen_.back().at != last && again_ >= 1;
    const std::size_t at = newest_only ? last : last - detail::choose(last - first + 1);
    again_ =
        at != last && !seen_.empty() && seen_.back().by == self && seen_.back().at == at ? again_ + 1 : 0;
    saw(self, at, order);
    if (acquires(order)) learn(mine, stores_[at].published);
    note("load", at);
    return stores_[at].value;
  }

  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    step();
    append(value, order, {});
    note("store", stores_.size() - 1);
  }

  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T) { return value; });
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure) {
    step();
    const std::size_t last = stores_.size() - 1;
    const int self = detail::this_thread();
    if (stores_[last].value != expected) {
      saw(self, last, failure);
      if (acquires(failure)) learn(detail::clock_of(self), stores_[last].published);
      expected = stores_[last].value;
      note("compare_exchange fails", last);
      return false;
    }
    replace(last, desired, success);
    return true;
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, desired, order,
                                   order == std::memory_order_acq_rel   ? std::memory_order_acquire
                                   : order == std::memory_order_release ? std::memory_order_relaxed
                                                                        : order);
  }
  template <class... Orders>
  bool compare_exchange_weak(T& expected, T desired, Orders... orders) {
    return compare_exchange_strong(expected, desired, orders...);
  }
  T fetch_add(T n, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T old) { return static_cast<T>(old + n); });
  }
  T fetch_sub(T n, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T old) { return static_cast<T>(old - n); });
  }
  T fetch_or(T bits, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T old) { return static_cast<T>(old | bits); });
  }
  T fetch_and(T bits, std::memory_order order = std::memory_order_seq_cst) {
    return modify(order, [&](T old) { return static_cast<T>(old & bits); });
  }
  operator T() const { return load(); }

  /// What the kernel sees: the newest.
  [[nodiscard]] T newest() const { return stores_.back().value; }

 private:
  struct stored {
    T value;
    int by;
    std::uint32_t when;  // in the clock of that thread
    clocks published;    // what an acquiring load learns; empty: nothing
  };
  struct seen {
    int by;
    std::uint32_t when;
    std::size_t at;
  };

  void step() const {
    detail::step();
    if (detail::is_destroyed(this)) detail::fail("used behind its end");
  }

  // Coherence: nobody sees something older than what he knows to have been stored, or seen.
  [[nodiscard]] std::size_t oldest_visible(const clocks& mine, std::memory_order order) const {
    std::size_t first = order == std::memory_order_seq_cst ? seq_cst_floor_ : 0;
    for (std::size_t i = stores_.size(); i-- > first;) {
      if (mine[static_cast<std::size_t>(stores_[i].by)] >= stores_[i].when) {
        first = i;
        break;
      }
    }
    for (const seen& s : seen_) {
      if (s.at > first && mine[static_cast<std::size_t>(s.by)] >= s.when) first = s.at;
    }
    return first;
  }

  void saw(int self, std::size_t at, std::memory_order order) const {
    seen_.push_back({self, detail::tick(), at});
    if (order == std::memory_order_seq_cst) seq_cst_floor_ = std::max(seq_cst_floor_, at);
  }

  void append(T value, std::memory_order order, const clocks& inherited) {
    const int self = detail::this_thread();
    const std::uint32_t now = detail::tick();
    clocks published = inherited;
    if (releases(order)) {
      const clocks& mine = detail::clock_of(self);
      published.resize(mine.size());
      learn(published, mine);
    }
    stores_.push_back({value, self, now, std::move(published)});
    if (order == std::memory_order_seq_cst) seq_cst_floor_ = stores_.size() - 1;
  }

  template <class Change>
  T modify(std::memory_order order, Change change) {
    step();
    const std::size_t last = stores_.size() - 1;
    const T old = stores_[last].value;
    replace(last, change(old), order);
    return old;
  }

  // A read-modify-write reads the newest, and continues its release sequence.
  void replace(std::size_t last, T value, std::memory_order order) {
    if (acquires(order)) learn(detail::clock_of(detail::this_thread()), stores_[last].published);
    const clocks inherited = stores_[last].published;
    append(value, order, inherited);
    note("read-modify-write", stores_.size() - 1);
  }

  void note(const char* what, std::size_t at) const {
    if (!detail::is_traced()) return;
    std::string text = what;
    if constexpr (std::is_integral_v<T>) text += " " + std::to_string(stores_[at].value);
    if (at + 1 != stores_.size()) text += " (an old one)";
    char where[32];
    std::snprintf(where, sizeof where, " at %p", static_cast<const void*>(this));
    detail::note(text + where);
  }

  std::vector<stored> stores_;
  mutable std::vector<seen> seen_;
  mutable int again_ = 0;  // how often the last of them has been the same old one
  mutable std::size_t seq_cst_floor_ = 0;
  bool lasting_ = false;
};

/// As std::atomic_ref, of an object that nobody uses otherwise and that is there until the end of the execution. The object itself
/// keeps its first value.
template <class T>
class atomic_ref {
 public:
  explicit atomic_ref(T& object) : target_(target_of(object)) {}
  T load(std::memory_order order) const { return target_->load(order); }
  void store(T value, std::memory_order order) const { target_->store(value, order); }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order) const {
    return target_->compare_exchange_strong(expected, desired, order);
  }

 private:
  static std::shared_ptr<atomic<T>> target_of(T& object) {
    static auto& all = *new std::map<const T*, std::shared_ptr<atomic<T>>>;
    detail::add_lasting(&all, [] { all.clear(); });
    std::shared_ptr<atomic<T>>& found = all[&object];
    if (found == nullptr) found = std::make_shared<atomic<T>>(object);
    return found;
  }

  std::shared_ptr<atomic<T>> target_;
};

/// A variable that is no atomic: two accesses, one of them a write, that are not ordered are a failure.
template <class T>
class plain {
 public:
  plain() = default;
  explicit plain(T value) : value_(value) {}

  T read() const {
    ordered(write_, "a read races with a write");
    reads_.push_back({detail::this_thread(), detail::tick()});
    return value_;
  }
  void write(T value) {
    ordered(write_, "a write races with a write");
    for (const access& r : reads_) ordered(r, "a write races with a read");
    write_ = {detail::this_thread(), detail::tick()};
    value_ = value;
  }

 private:
  struct access {
    int by = 0;
    std::uint32_t when = 0;
  };
  static void ordered(const access& before, const char* what) {
    const clocks& mine = detail::clock_of(detail::this_thread());
    if (mine[static_cast<std::size_t>(before.by)] < before.when) detail::fail(what);
  }

  T value_{};
  access write_;
  mutable std::vector<access> reads_;
};

}  // namespace tandem::model

#endif
