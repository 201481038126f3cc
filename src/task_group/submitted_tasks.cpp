// The list of a task_group's ordinary tasks. The mutex is let go wherever a task, or a user's destructor, may run.
#include <tandem/detail/submitted_tasks.hpp>

#include <tandem/error.hpp>

namespace tandem::detail {

std::stop_token submitted_tasks::token() {
  const std::lock_guard lock(mutex_);
  if (!source_.stop_possible()) source_ = std::stop_source();
  return source_.get_token();
}

void submitted_tasks::add(std::list<future<void>>& one, const std::stop_token& linked_to) noexcept {
  std::list<future<void>> over;  // freed outside the mutex
  const std::lock_guard lock(mutex_);
  const auto has_run = [](const future<void>& f) {
    return f.state() == future_state::finished && f.exception() == nullptr;
  };
  while (!waits_ && !tasks_.empty() && has_run(tasks_.front()))
    over.splice(over.end(), tasks_, tasks_.begin());
  const bool is_from_before = linked_to != source_.get_token() && one.front().cancelled();
  if (!is_from_before) tasks_.splice(tasks_.end(), one);
}

submitted_tasks::outcome submitted_tasks::wait() noexcept {
  outcome all;
  std::unique_lock lock(mutex_);
  waits_ = true;
  for (auto one = tasks_.begin(); one != tasks_.end(); ++one) {
    lock.unlock();
    ++all.count;
    // Of what a function throws the group is told by the function.
    const std::exception_ptr why = one->exception();
    std::exception_ptr& kept = one->cancelled() ? all.left_out : all.error;
    if (!kept) kept = why;
    lock.lock();
  }
  waits_ = false;
  tasks_.clear();
  // One that has not been used stays: a task that is on its way here may be linked to it.
  if (source_.stop_requested()) {
    all.left_out = nullptr;  // that was us
    source_ = std::stop_source(std::nostopstate);
  }
  return all;
}

// Whoever comes later looks whether its group was cancelled when it begins.
void submitted_tasks::cancel() noexcept {
  std::unique_lock lock(mutex_);
  std::stop_source source = source_;
  lock.unlock();
  source.request_stop();
}

}  // namespace tandem::detail
