// What several threads have put into a queue and taken out of it, and when: each call with its beginning and its end. Tells whether
// there is an order of the calls, each at some moment between its beginning and its end, in which a queue would have
// answered so (linearizability; the conditions for queues: Henzinger, Sezgin and Vafeiadis, CONCUR 2013).
#ifndef TANDEM_TESTS_STRESS_HISTORY_HPP
#define TANDEM_TESTS_STRESS_HISTORY_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace tandem::test {

/// A moment, in nanoseconds; the same clock on all CPUs.
inline std::int64_t now() noexcept { return std::chrono::steady_clock::now().time_since_epoch().count(); }

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// One item's life. Times of one call; `taken` is `never` for what is still in the queue.
struct item_history {
  std::int64_t put_begin = 0;
  std::int64_t put_end = 0;
  std::int64_t take_begin = never;
  std::int64_t take_end = never;
  int times_taken = 0;
  bool taken_by_owner = false;  // of a deque: at the end where it was put in
};

/// Empty: the items came out as from a queue, first in, first out.
inline std::string why_no_queue(const std::vector<item_history>& items) {
  std::vector<std::size_t> by_begin(items.size());
  std::vector<std::size_t> by_end(items.size());
  std::iota(by_begin.begin(), by_begin.end(), std::size_t{0});
  std::iota(by_end.begin(), by_end.end(), std::size_t{0});
  std::sort(by_begin.begin(), by_begin.end(),
            [&](std::size_t a, std::size_t b) { return items[a].put_begin < items[b].put_begin; });
  std::sort(by_end.begin(), by_end.end(),
            [&](std::size_t a, std::size_t b) { return items[a].put_end < items[b].put_end; });
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].times_taken != 1) {
      return "item " + std::to_string(i) + " was taken " + std::to_string(items[i].times_taken) + " times";
    }
    if (items[i].take_end < items[i].put_begin)
      return "item " + std::to_string(i) + " was taken before it was put in";
  }
  // Whatever was put in wholly before an item was, is not taken wholly after it.
  std::size_t before = 0;
  std::int64_t latest = std::numeric_limits<std::int64_t>::min();  // beginning of a take among those
  std::size_t which = 0;
  for (const std::size_t i : by_begin) {
    for (; before < by_end.size() && items[by_end[before]].put_end < items[i].put_begin; ++before) {
      const std::size_t b = by_end[before];
      if (items[b].take_begin > latest) {
        latest = items[b].take_begin;
        which = b;
      }
    }
    if (latest > items[i].take_end) {
      return "item " + std::to_string(which) + " was put in before item " + std::to_string(i) +
             " and taken after it";
    }
  }
  return "";
}

/// The same for a deque whose owner puts in and takes out at the one end, and others take at the other end. `items` in the order in
/// which they were put in.
inline std::string why_no_deque(const std::vector<item_history>& items) {
  std::int64_t latest = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const item_history& item = items[i];
    if (item.times_taken != 1) {
      return "item " + std::to_string(i) + " was taken " + std::to_string(item.times_taken) + " times";
    }
    if (item.taken_by_owner) {
      // All that the owner has put in since is gone, or about to.
      for (std::size_t k = i + 1; k < items.size() && items[k].put_end < item.take_begin; ++k) {
        if (items[k].take_begin > item.take_end) {
          return "its owner took item " + std::to_string(i) + " before item " + std::to_string(k) +
                 ", which came later";
        }
      }
    } else if (latest > item.take_end) {
      return "item " + std::to_string(i) + " was stolen before an older one was taken";
    }
    latest = std::max(latest, item.take_begin);
  }
  return "";
}

}  // namespace tandem::test

#endif
