// What a task can ask of the pool that runs it, though the task's future may outlive the pool: to stop it, to help whoever
// waits for it, and to take an error that nobody else can. Pools are found by the address that their tasks carry (core::owner()).
#ifndef TANDEM_FUTURE_TASK_OWNER_HPP
#define TANDEM_FUTURE_TASK_OWNER_HPP

#include <tandem/detail/core.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace tandem::detail {

class task_owner {
 public:
  /// cancel() or a time limit has met a task that runs. True if the owner has completed it as cancelled.
  virtual bool stop_running(core& task) noexcept = 0;
  /// Gives an error to the handler that the pool's options name. False if they name none.
  virtual bool take_unhandled(const char* where, const std::exception_ptr& error) noexcept = 0;
  /// A thread is about to wait for `task`, whose attentive_owner() it is: does for the task what that thread can do. Blocks
  /// until the task is done, the deadline is over, or there is nothing that the thread could do.
  virtual void attend(core& task, const std::optional<time_point>& deadline) noexcept {
    static_cast<void>(task);
    static_cast<void>(deadline);
  }

 protected:
  ~task_owner() = default;
};

/// Makes `owner` findable for tasks whose owner() is `key`. Thread-safe. @throws std::bad_alloc
void add_task_owner(const void* key, std::weak_ptr<task_owner> owner);
/// The end of that; if it was not added, nothing happens. By the owner's destructor. Thread-safe.
void remove_task_owner(const void* key) noexcept;
/// Null if there is none (any more). Thread-safe.
[[nodiscard]] std::shared_ptr<task_owner> find_task_owner(const void* key) noexcept;

}  // namespace tandem::detail

#endif
