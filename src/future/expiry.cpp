#include "future/expiry.hpp"

#include <tandem/error.hpp>
#include <tandem/task_options.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

namespace tandem::detail {

namespace {

class expiry_alarm final : public timer::alarm {
 public:
  explicit expiry_alarm(core& task) noexcept : task_((task.add_ref(), &task)) {}
  void ring() noexcept override {
    try {
      task_->expire(std::make_exception_ptr(timeout_error(text())));
    } catch (...) {
      task_->expire(std::current_exception());
    }
  }
  void drop() noexcept override {}

 private:
  [[nodiscard]] std::string text() const {
    const task_options& options = *task_->options();
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g s",
                  std::chrono::duration<double>(options.timeout.value()).count());
    return "tandem: task" + (options.name.empty() ? std::string() : " \"" + options.name + "\"") +
           " has run longer than its timeout of " + seconds +
           ". It has been asked to stop, and what it returns will be thrown away; a thread cannot be killed, "
           "so "
           "let the task look at this_task::stop_requested(), or run it on a process_pool";
  }

  const core_ptr<core> task_;
};

}  // namespace

expiry::expiry(core& task, std::chrono::nanoseconds limit) noexcept {
  task.set_contested();
  try {
    // The pool's end waits while it rings: that calls the future's callbacks.
    alarm_ = timer::set(std::chrono::steady_clock::now() + limit, std::make_unique<expiry_alarm>(task),
                        task.owner(), timer::at_end::left);
  } catch (...) {
    task.expire(std::current_exception());
  }
}

}  // namespace tandem::detail
