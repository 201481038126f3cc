// The pool's end by force: terminate() and kill(). The orderly one is shutdown(), in pool_state.cpp.
#include "process_pool/pool_state.hpp"

#include <tandem/error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace tandem::detail {

void process_pool_state::end_by_force(ending how) {
  if (in_forked_child()) return;
  if (must_not_wait()) {
    throw invalid_state_error(
        "tandem: process_pool::terminate() or process_pool::kill(), called by a callback that the pool "
        "itself runs: "
        "it would wait for itself. Call it from another thread, or shutdown({.wait = false, .cancel_pending "
        "= true})");
  }
  const auto keep = shared_from_this();  // a callback of what is cancelled may let go of the pool
  unbegun_tasks unbegun;
  process::task_list running;
  {
    // In one step: were the manager to kill first, what ran would be told that its worker had died.
    const lock held(mutex_);
    open_ = false;
    take_unbegun(unbegun, held);
    take_what_runs(running, held);
    ending_ = std::max(ending_, how);
  }
  bell_.raise();
  bound_.wake();
  settle(std::move(running), nullptr);
  cancel(std::move(unbegun));
  cancel_not_due();
  await_end();
}

// After take_unbegun(): what the workers have not begun by now they cannot begin any more. What is answered but not
// collected stays: it has a result.
void process_pool_state::take_what_runs(process::task_list& running, const lock&) noexcept {
  for (const worker_ptr& w : workers_) {
    for (std::size_t i = 0; i < w->in_ring(); ++i) {
      if (w->flight_behind_front(i).task &&
          process::state_of(w->slot_behind_front(i)) == process::slot_state::taken)
        running.push_back(w->take_task(i));
    }
  }
}

// The manager's last word to the server, which then kills all that is left below it.
void process_pool_state::sweep() noexcept {
  {
    const lock held(mutex_);
    if (ending_ == ending::in_order) return;
  }
  try {
    static_cast<void>(link_.send({.what = process::command::kind::sweep}));
  } catch (const std::exception&) {
    // No memory, here or in the kernel: workers and their groups are gone all the same.
  }
}

}  // namespace tandem::detail
