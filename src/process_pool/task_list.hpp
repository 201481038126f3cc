// A first-in first-out list of tasks, linked through the tasks themselves: no allocation per task, nothing that can
// fail. Guarded by its owner.
#ifndef TANDEM_PROCESS_POOL_TASK_LIST_HPP
#define TANDEM_PROCESS_POOL_TASK_LIST_HPP

#include <tandem/detail/core.hpp>

#include <cstdint>
#include <utility>

namespace tandem::process {

class task_list {
 public:
  task_list() noexcept = default;
  task_list(task_list&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)),
        last_(std::exchange(other.last_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  task_list& operator=(task_list&&) = delete;
  void swap(task_list& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(size_, other.size_);
  }
  ~task_list() {
    while (!empty()) static_cast<void>(pop_front());
  }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }

  /// Only if there is one.
  [[nodiscard]] detail::core& front() const noexcept { return *first_; }

  void push_back(detail::core_ptr<detail::core> task) noexcept {
    detail::core* t = task.detach();
    t->set_queue_next(nullptr);
    if (last_ == nullptr) {
      first_ = t;
    } else {
      last_->set_queue_next(t);
    }
    last_ = t;
    ++size_;
  }

  void push_front(detail::core_ptr<detail::core> task) noexcept {
    detail::core* t = task.detach();
    t->set_queue_next(first_);
    first_ = t;
    if (last_ == nullptr) last_ = t;
    ++size_;
  }

  /// Puts all of `others` in front, in their order.
  void prepend(task_list others) noexcept {
    if (others.empty()) return;
    others.last_->set_queue_next(first_);
    if (last_ == nullptr) last_ = others.last_;
    first_ = std::exchange(others.first_, nullptr);
    others.last_ = nullptr;
    size_ += std::exchange(others.size_, 0);
  }

  /// Takes out those that have been resolved by others.
  [[nodiscard]] task_list extract_done() noexcept {
    task_list all(std::move(*this));
    task_list done;
    while (!all.empty()) {
      detail::core_ptr<detail::core> task = all.pop_front();
      (task->done() ? done : *this).push_back(std::move(task));
    }
    return done;
  }

  [[nodiscard]] detail::core_ptr<detail::core> pop_front() noexcept {
    detail::core* t = first_;
    first_ = t->queue_next();
    if (first_ == nullptr) last_ = nullptr;
    t->set_queue_next(nullptr);
    --size_;
    return detail::core_ptr<detail::core>(t);
  }

 private:
  detail::core* first_ = nullptr;
  detail::core* last_ = nullptr;
  std::int64_t size_ = 0;
};

}  // namespace tandem::process

#endif
