// Whose turn it is when tasks of several priorities wait: the most urgent, but nobody is passed over for ever. One for
// each worker, or for each queue with a single reader. Knows no queues.
#ifndef TANDEM_DISPATCH_AGEING_HPP
#define TANDEM_DISPATCH_AGEING_HPP

#include <tandem/task_options.hpp>

namespace tandem::dispatch {

/// Not thread-safe: its owner's.
class ageing {
 public:
  /// So often in a row tasks of a class may be passed over while they wait; then one of them comes.
  static constexpr int normal_patience = 15;
  static constexpr int low_patience = 63;

  /// The class of the next task, by which of them have any. Each call is a pick. Without any it is normal.
  [[nodiscard]] priority choose(bool high, bool normal, bool low) noexcept {
    priority next = high ? priority::high : normal || !low ? priority::normal : priority::low;
    if (normal && passed_normal_ >= normal_patience) next = priority::normal;
    if (low && passed_low_ >= low_patience)
      next = priority::low;  // waits longer, so it comes first of the two
    passed_normal_ = normal && next != priority::normal ? passed_normal_ + 1 : 0;
    passed_low_ = low && next != priority::low ? passed_low_ + 1 : 0;
    return next;
  }

 private:
  int passed_normal_ = 0;
  int passed_low_ = 0;
};

}  // namespace tandem::dispatch

#endif
