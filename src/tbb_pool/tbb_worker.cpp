#include "tbb_pool/tbb_worker.hpp"

#include <tandem/error.hpp>
#include <tandem/task_options.hpp>

#include "posix/futex.hpp"
#include "posix/process.hpp"
#include "tbb_pool/tbb_pool_state.hpp"

#include <exception>
#include <utility>

namespace tandem::detail {

namespace {

// After so many tasks a worker lets its thread go back to oneTBB, which may have more urgent work for it under a limit
// that the program has set; calling it again costs about a microsecond.
constexpr int tasks_per_visit = 64;

}  // namespace

void tbb_worker::call() {
  if (spare_ && !limit_) limit_.emplace(1);
  arena_.enqueue([this]() noexcept { serve(); });
}

void tbb_worker::park() noexcept {
  // ORDER unpark: acquire pairs with the release in unpark().
  while (called_.exchange(0, std::memory_order_acquire) == 0)
    posix::futex_wait(called_, 0, posix::scope::process_private);
}

void tbb_worker::unpark() noexcept {
  called_.store(1, std::memory_order_release);
  posix::futex_wake(called_, 1, posix::scope::process_private);
}

// A visit of a oneTBB thread.
void tbb_worker::serve() noexcept {
  const bool keeps_thread = pool_.keeps_threads();
  for (;;) {
    bool more = false;
    if (spare_) {
      more = serve_some();  // where it is: the places of the other arena are for those that it stands in for
    } else {
      // The arena in which all tasks run, so that the algorithms that they call can use all of the pool's workers. When
      // helpers of such an algorithm have all of its places, one of them runs this instead, or we wait for a place.
      pool_.arena().execute([&]() noexcept { more = serve_some(); });
    }
    if (more && !keeps_thread) {
      try {
        call();
        return;
      } catch (...) {
        continue;  // without memory, without the break
      }
    }
    if (more) continue;
    thread_id_.store(0, std::memory_order_relaxed);
    if (!pool_.rest(*this)) break;
  }
  if (!keeps_thread) return;  // the pool may be gone
  tear_down();
  pool_.leave();
}

// True if there may be more to do.
bool tbb_worker::serve_some() noexcept {
  worker_context* outer = current_worker();
  set_current_worker(this);
  thread_id_.store(posix::current_tid(), std::memory_order_relaxed);
  const bool more = !set_up() || run_some();
  set_current_worker(outer);
  return more;
}

// Runs the initializer if it has not run. False: it has thrown and the pool is broken now.
bool tbb_worker::set_up() noexcept {
  if (initialized_ || pool_.is_broken()) return true;
  if (!pool_.options().initializer) {
    initialized_ = true;
    return true;
  }
  try {
    pool_.options().initializer();
    initialized_ = true;
    return true;
  } catch (const std::exception& e) {
    pool_.break_down(std::string("its initializer threw: ") + e.what());
  } catch (...) {
    pool_.break_down("its initializer threw something that is no std::exception");
  }
  return false;
}

void tbb_worker::tear_down() noexcept {
  if (!initialized_ || !pool_.options().finalizer) return;
  worker_context* outer = current_worker();
  set_current_worker(this);
  try {
    pool_.options().finalizer();
  } catch (...) {
    report_unhandled("a tbb_pool's finalizer", std::current_exception(), &pool_);
  }
  set_current_worker(outer);
}

// True if it has done enough for one visit, false if nothing was left to do for it.
bool tbb_worker::run_some() noexcept {
  for (int i = 0; i < tasks_per_visit; ++i) {
    if (pool_.crew().is_surplus(*this)) return false;
    core* task = pool_.queue().pop_next(turns_);
    if (task == nullptr) return false;
    run_task(task);
  }
  return true;
}

void tbb_worker::run_task(core* task) noexcept {
  const core_ptr<core> from_queue(task);
  if (pool_.is_cancelling()) return pool_.cancel(*task);
  if (!task->try_start()) {  // cancelled, or a waiter has claimed it
    if (word::phase(task->load()) == word::cancelled) add_one(cancelled_);
    if (pool_.is_bounded()) pool_.note_leave();
  } else if (pool_.is_broken()) {
    pool_.fail(*task);
    if (pool_.is_bounded()) pool_.note_leave();
  } else {
    if (pool_.is_bounded()) pool_.note_begin();
    // Isolated: when an algorithm in the task has to wait, it may not take up parts of other tasks, whose locks its
    // own caller may hold.
    tbb::this_task_arena::isolate([&]() noexcept { execute(*task); });
  }
}

void tbb_worker::execute(core& task) noexcept {
  name_.during(task, [&]() noexcept { execute_in_context(task, &ledger_); });
}

bool tbb_worker::try_run(core& task) noexcept {
  if (task.owner() != &pool_ || !task.try_start()) return false;
  if (pool_.is_bounded()) pool_.note_begin_in_place();
  execute(task);
  return true;
}

void tbb_worker::begin_blocking() noexcept {
  if (!pool_.in_forked_child() && blocking_++ == 0) pool_.begin_blocking();
}

void tbb_worker::end_blocking() noexcept {
  if (!pool_.in_forked_child() && --blocking_ == 0) pool_.end_blocking();
}

}  // namespace tandem::detail
