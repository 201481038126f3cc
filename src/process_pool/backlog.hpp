// The tasks that wait for a worker: a list for each priority, each first in, first out. Guarded by its owner.
#ifndef TANDEM_PROCESS_POOL_BACKLOG_HPP
#define TANDEM_PROCESS_POOL_BACKLOG_HPP

#include "dispatch/ageing.hpp"
#include "executor/task_priority.hpp"
#include "process_pool/task_list.hpp"

#include <tandem/task_options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tandem::process {

class backlog {
 public:
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::int64_t size() const noexcept {
    return of(priority::high).size() + of(priority::normal).size() + of(priority::low).size();
  }

  void push_back(detail::core_ptr<detail::core> task) noexcept {
    task_list& list = of(detail::priority_of(*task));
    list.push_back(std::move(task));
  }

  /// Puts all of them in front of those of their priority, in their order.
  void prepend(task_list tasks) noexcept {
    std::array<task_list, 3> parts;
    while (!tasks.empty()) {
      detail::core_ptr<detail::core> task = tasks.pop_front();
      task_list& part = parts[index_of(detail::priority_of(*task))];
      part.push_back(std::move(task));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) lists_[i].prepend(std::move(parts[i]));
  }

  /// Whose turn it is; `rank` is its priority, or high if it has waited so long that its turn has come: then nothing
  /// may overtake it any more.
  struct next {
    detail::core_ptr<detail::core> task;
    priority rank = priority::normal;
  };
  /// Only if there is one.
  [[nodiscard]] next pop_next() noexcept {
    const bool high = !of(priority::high).empty();
    const bool normal = !of(priority::normal).empty();
    const priority which = turns_.choose(high, normal, !of(priority::low).empty());
    const bool out_of_turn = (high && which != priority::high) || (normal && which == priority::low);
    return {of(which).pop_front(), out_of_turn ? priority::high : which};
  }

  /// Takes out those that have been resolved by others.
  [[nodiscard]] task_list extract_done() noexcept {
    task_list done;
    for (std::size_t i = lists_.size(); i-- > 0;) done.prepend(lists_[i].extract_done());
    return done;
  }
  /// Takes out all.
  [[nodiscard]] task_list extract_all() noexcept {
    task_list all;
    for (std::size_t i = lists_.size(); i-- > 0;) all.prepend(std::move(lists_[i]));
    return all;
  }

 private:
  static constexpr std::size_t index_of(priority which) noexcept { return static_cast<std::size_t>(which); }
  [[nodiscard]] task_list& of(priority which) noexcept { return lists_[index_of(which)]; }
  [[nodiscard]] const task_list& of(priority which) const noexcept { return lists_[index_of(which)]; }

  std::array<task_list, 3> lists_;  // by priority, the most urgent first
  dispatch::ageing turns_;
};

}  // namespace tandem::process

#endif
