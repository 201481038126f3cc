// task_group, but for what depends on the functions that it is given.
#include <tandem/task_group.hpp>

#include <tandem/error.hpp>
#include <tandem/this_task.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace tandem {

namespace detail {

std::exception_ptr make_cancelled_error() noexcept {
  try {
    throw_cancelled();
  } catch (...) {
    return std::current_exception();
  }
}

void throw_cancelled() {
  throw cancelled_error(
      "tandem: functions were left out, because the task_group in which they are forked was cancelled");
}

void throw_cause(join& all) {
  const std::exception_ptr cause = all.take_error();
  if (cause == nullptr) throw;
  try {
    throw;
  } catch (const cancelled_error&) {
    std::rethrow_exception(cause);
  }
}

}  // namespace detail

// The rest of the destructor.
void task_group::settle() noexcept {
  if (const char* why = why_not_wait_here()) {
    std::fprintf(stderr, "tandem: a task_group is destroyed with tasks for which nobody has waited, %s\n",
                 why);
    std::terminate();
  }
  if (std::uncaught_exceptions() > exceptions_) cancel();
  (void)wait_for_all();  // what was left out has thrown nothing
  if (const std::exception_ptr error = join_.take_error())
    detail::report_unhandled("a task of a task_group", error, sink_ != nullptr ? sink_->owner() : nullptr);
  delete submitted_.load(std::memory_order_acquire);
}

task_group_status task_group::wait() {
  if (const char* why = why_not_wait_here()) [[unlikely]]
    throw invalid_state_error(std::string("tandem: task_group::wait() ") + why);
  if (join_.home() != nullptr) join_.home()->wait_for(join_, made_in_, kept_);
  if (is_settled() && !join_.is_cancelled_itself() && !left_out_.load(std::memory_order_relaxed)) [[likely]]
    return task_group_status::complete;
  return end_wait();
}

// The rest, where there is more to it than tasks that have run.
task_group_status task_group::end_wait() {
  const std::exception_ptr left_out = wait_for_all();
  const bool was_cancelled = join_.is_cancelled_itself();
  if (const std::exception_ptr error = join_.take_error()) std::rethrow_exception(error);
  if (was_cancelled) return task_group_status::cancelled;
  if (left_out != nullptr) [[unlikely]]
    std::rethrow_exception(left_out);
  return task_group_status::complete;
}

const char* task_group::why_not_wait_here() const noexcept {
  // Home's count is home's alone.
  if (join_.home() != nullptr && join_.home() != detail::this_fork_place) {
    return "on another thread than that of the task that made it. Call wait() there, or make the group "
           "outside the "
           "pool's tasks, or with new";
  }
  if (detail::this_join == join_.within()) [[likely]]
    return nullptr;  // in the function that made it, or in no task of a group
  for (const detail::join* around = detail::this_join; around != nullptr; around = around->within()) {
    if (around == &join_)
      return "by one of its own tasks, which waits for itself. Give each task a group of its own";
  }
  return nullptr;
}

// Branches may have submitted more, and what was submitted may have forked more, if it has run here. Gives why something was left
// out, if it was not because we were cancelled ourselves.
std::exception_ptr task_group::wait_for_all() noexcept {
  std::exception_ptr left_out;
  for (;;) {
    if (join_.home() != nullptr) join_.home()->wait_for(join_, made_in_, kept_);
    detail::submitted_tasks* tasks = submitted_.load(std::memory_order_acquire);
    if (tasks == nullptr) break;
    detail::submitted_tasks::outcome all = tasks->wait();
    if (all.error) fail(all.error);
    if (all.left_out) left_out = std::move(all.left_out);
    if (all.count == 0) break;
  }
  if (left_out_.load(std::memory_order_relaxed)) [[unlikely]] {
    left_out_.store(false, std::memory_order_relaxed);
    left_out = detail::make_cancelled_error();
  }
  return left_out;
}

void task_group::cancel() noexcept {
  join_.cancel();
  // ORDER cancel-submit: the cancellation is stored first; see submit().
  if (detail::submitted_tasks* tasks = submitted_.load(std::memory_order_seq_cst)) tasks->cancel();
}

detail::submitted_tasks& task_group::submitted() {
  detail::submitted_tasks* there = submitted_.load(std::memory_order_acquire);
  if (there != nullptr) return *there;
  auto made = std::make_unique<detail::submitted_tasks>();
  if (!submitted_.compare_exchange_strong(there, made.get(), std::memory_order_seq_cst,
                                          std::memory_order_acquire))
    return *there;
  return *made.release();
}

// In a catch block. A task that gives up because it was cancelled has not failed.
void task_group::note_exception() noexcept {
  try {
    throw;
  } catch (const cancelled_error&) {
    if (cancelled()) return note_skip();
    fail(std::current_exception());
  } catch (...) {
    fail(std::current_exception());
  }
}

void task_group::note_skip() noexcept {
  if (!join_.is_cancelled_itself()) left_out_.store(true, std::memory_order_relaxed);
}

void task_group::fail(std::exception_ptr error) noexcept {
  join_.fail(std::move(error));
  if (detail::submitted_tasks* tasks = submitted_.load(std::memory_order_seq_cst)) tasks->cancel();
}

}  // namespace tandem
