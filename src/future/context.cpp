// The two thread-local pointers of detail/context.hpp, and what this_task reads from them and from the one of detail/branch.hpp.
#include <tandem/detail/context.hpp>

#include <tandem/detail/branch.hpp>

#include <tandem/this_task.hpp>

#include "future/expiry.hpp"

#include <boost/thread/thread.hpp>

namespace tandem::detail {

namespace {
thread_local constinit worker_context* worker_ = nullptr;
}  // namespace

thread_local constinit const task_context* current_task_of_this_thread = nullptr;

worker_context* current_worker() noexcept { return worker_; }
void set_current_worker(worker_context* worker) noexcept { worker_ = worker; }

const task_context* current_task() noexcept { return current_task_of_this_thread; }
const task_context* exchange_current_task(const task_context* task) noexcept {
  return std::exchange(current_task_of_this_thread, task);
}

void execute_in_context(core& task, task_ledger* ledger) noexcept {
  const task_context context{task.stop_word(), word::stop_requested, &task, 1, ledger};
  if (ledger != nullptr) add_one(ledger->started);
  const task_context* outer = exchange_current_task(&context);
  const join_scope in_no_join(nullptr);  // perhaps this thread waits in a branch: that is its task's affair
  if (const task_options* options = task.options(); options != nullptr && options->timeout.has_value()) {
    const expiry limit(task, options->timeout.value());
    task.execute();
  } else {
    task.execute();
  }
  exchange_current_task(outer);
}

// The worker has done its part: it counts the task as finished here, and no longer when it is completed.
task_leaver::task_leaver(const core& task) noexcept : context_(exchange_current_task(nullptr)) {
  if (context_ == nullptr || context_->task != &task) return;
  if (context_->ledger != nullptr) add_one(context_->ledger->finished);
  if (worker_ != nullptr) worker_->task_left(task);
}

task_leaver::~task_leaver() { exchange_current_task(context_); }

}  // namespace tandem::detail

namespace tandem::this_task {

bool stop_requested() noexcept {
  const detail::task_context* task = detail::current_task();
  if (task != nullptr && task->stop_word != nullptr &&
      (task->stop_word->load(std::memory_order_acquire) & task->stop_mask) != 0) {
    return true;
  }
  return detail::this_join != nullptr && detail::this_join->cancelled();
}

std::stop_token stop_token() {
  if (detail::this_join != nullptr) return detail::this_join->stop_token();
  return detail::stop_token_of(detail::current_task());
}

void interruption_point() {
  if (stop_requested()) throw boost::thread_interrupted();
}

int attempt() noexcept {
  const detail::task_context* task = detail::current_task();
  return task == nullptr ? 0 : task->attempt;
}

int worker_index() noexcept {
  const detail::worker_context* worker = detail::current_worker();
  return worker == nullptr ? -1 : worker->index();
}

blocking_region::blocking_region() noexcept : worker_(detail::current_worker()) {
  if (worker_ != nullptr) worker_->begin_blocking();
}

blocking_region::~blocking_region() {
  if (worker_ != nullptr) worker_->end_blocking();
}

}  // namespace tandem::this_task
