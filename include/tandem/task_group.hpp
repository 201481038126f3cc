// Structured fork-join on a thread_pool: task_group and parallel_invoke().
#ifndef TANDEM_TASK_GROUP_HPP
#define TANDEM_TASK_GROUP_HPP

#include <tandem/config.hpp>
#include <tandem/detail/block_cache.hpp>
#include <tandem/detail/branch.hpp>
#include <tandem/detail/fork_place.hpp>
#include <tandem/detail/invoke.hpp>
#include <tandem/detail/run_on.hpp>
#include <tandem/detail/submitted_tasks.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/future.hpp>
#include <tandem/thread_pool.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <new>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace tandem {

/// How a task_group's tasks have ended.
enum class task_group_status : unsigned char {
  complete,  ///< All of them have run.
  cancelled  ///< task_group::cancel() was called: some of them may not have run.
};

/// Tasks that are waited for together.
///
/// Made for tasks that are forked and joined millions of times. Of a group that is a variable of a function in a task of its
/// pool, run() by that function's thread costs some tens of nanoseconds, and what no other worker has taken when
/// wait() is called is run by the waiting thread. Any other run() is a submit(): from another thread, also that of a task
/// of the group; or of a group that was made outside the pool's tasks, or with new. A task of a group may run() more
/// tasks in it, or have groups of its own, which is quicker.
///
/// @par Thread safety
/// run() and cancel() may be called from any thread, wait() from one at a time; of a group that is a variable of a function
/// in a task of its pool, from that function's thread. A group lives until its wait() has returned; the destructor waits.
///
/// @par Example
/// examples/fork_join.cpp
class TANDEM_API task_group {
 public:
  /// A group on the pool of the calling task. Where the caller is no task of a thread_pool, each run() calls its function
  /// at once.
  task_group() noexcept : task_group(nullptr, detail::this_fork_place) {}
  /// A group on `pool`, which outlives it.
  explicit task_group(thread_pool& pool) noexcept : task_group(&pool, detail::fork_place::of(pool.owner())) {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  /// Waits for the tasks; in the course of an exception, cancels first. What a task throws that nobody has waited for
  /// goes to the pool's error handler. Where wait() would throw invalid_state_error, and there are tasks, this ends the
  /// program with a message.
  ~task_group() {
    if (!is_settled()) [[unlikely]]
      settle();
  }

  /// Has `f()` called, by some worker of the pool or by wait(); without a pool at once. `f` is copied or moved; what it returns
  /// is dropped; what it refers to lives until wait() has returned. May be called from any thread, also with a lock held that `f`
  /// wants: it does not block, but for a submit() where that does.
  /// @throws what copying or moving `f` throws; std::bad_alloc; where it is a submit(), also what that throws. With an
  /// exception the function will not be called
  template <class F>
  void run(F&& f) {
    if (is_home()) {
      hand_out(std::forward<F>(f));
    } else if (sink_ != nullptr) {
      submit(std::forward<F>(f));
    } else {
      call_here(f);
    }
  }

  /// Calls `f()` here, as one of the group's tasks, and waits for all.
  /// @throws as wait()
  template <class F>
  task_group_status run_and_wait(F&& f) {
    call_here(f);
    return wait();
  }

  /// Blocks until all tasks have ended, running those that nobody has begun. A worker that has to wait for other
  /// workers helps them with what the group's tasks have forked, and with nothing else: so a lock that the caller holds
  /// meets no task that it does not wait for. The group can be used again afterwards.
  /// @throws the first exception of a task: it has cancelled the others; cancelled_error if a group around this one was
  /// cancelled, or the pool was shut down and has cancelled a task; invalid_state_error if the group was made by a task on another
  /// thread, or this is called by one of its own tasks, which would wait for itself
  task_group_status wait();

  /// Tasks that have not begun will not; those that run find this_task::stop_requested(). Until wait() returns. Does not
  /// block, but for what it calls: destructors of functions that will not run, and stop callbacks of those that do.
  void cancel() noexcept;
  /// Tells whether the group was cancelled: by cancel(), an exception of a task, or because a group around it was.
  [[nodiscard]] bool cancelled() const noexcept { return join_.cancelled(); }

 private:
  template <class F>
  class task;

  // One that is no variable of a function may outlive the task that makes it: nothing of that may be relied on.
  task_group(thread_pool* pool, detail::fork_place* caller) noexcept
      : sink_(pool != nullptr     ? pool
              : caller != nullptr ? &caller->sink()
                                  : nullptr),
        exceptions_(std::uncaught_exceptions()),
        join_(caller != nullptr && caller->is_on_stack(this) ? caller : nullptr),
        made_in_(join_.home() != nullptr ? caller->run_number() : 0) {}

  // What is forked here is waited for by a function further down this thread's stack.
  [[nodiscard]] bool is_home() const noexcept {
    return join_.home() != nullptr && join_.home() == detail::this_fork_place;
  }

  // As one of the tasks: its exception is the group's.
  template <class F>
  void call(F& f) noexcept {
    if (cancelled()) [[unlikely]]
      return note_skip();
    try {
      static_cast<void>(std::invoke(f));
    } catch (...) {
      note_exception();
    }
  }

  // The same where the caller's task is not yet in the group.
  template <class F>
  void call_here(F& f) noexcept {
    detail::join here(join_);
    const detail::join_scope inside(&here);
    call(f);
  }

  template <class F>
  void hand_out(F&& f) {
    using stored = task<std::decay_t<F>>;
    stored* made = nullptr;
    constexpr bool small_enough = sizeof(stored) <= room_size;
    constexpr bool aligned_enough = alignof(stored) <= alignof(std::max_align_t);
    if constexpr (small_enough && aligned_enough) {
      if (!room_taken_.load(std::memory_order_acquire)) {
        made = ::new (static_cast<void*>(room_)) stored(*this, std::forward<F>(f), true);
        room_taken_.store(true, std::memory_order_relaxed);
      }
    }
    if (made == nullptr) made = new stored(*this, std::forward<F>(f), false);
    detail::fork_place& here = *join_.home();
    join_.expect_one();
    if (!here.offer(*made, made_in_)) [[unlikely]]
      detail::fork_place::keep(*made, kept_);
  }

  template <class F>
  void submit(F&& f) {
    std::list<future<void>> one(1);
    detail::submitted_tasks& all = submitted();
    auto options = std::make_unique<task_options>();
    const std::stop_token token = options->stop_token = all.token();
    one.front() = detail::submit_to<detail::remote_mode::never>(
        *sink_, std::move(options),
        [this, f = std::decay_t<F>(std::forward<F>(f))]() mutable { call_here(f); });
    all.add(one, token);
    // ORDER cancel-submit: pairs with cancel(). Either that one finds the task, or we see that it was here.
    if (join_.is_cancelled_itself()) [[unlikely]]
      all.cancel();
  }

  // Nothing is away, and nobody need be told anything.
  [[nodiscard]] bool is_settled() const noexcept {
    return join_.are_back() && !join_.has_error() && submitted_.load(std::memory_order_relaxed) == nullptr;
  }
  void settle() noexcept;
  [[nodiscard]] const char* why_not_wait_here() const noexcept;
  void fail(std::exception_ptr error) noexcept;
  void note_exception() noexcept;
  void note_skip() noexcept;
  detail::submitted_tasks& submitted();
  [[nodiscard]] std::exception_ptr wait_for_all() noexcept;
  task_group_status end_wait();

  static constexpr std::size_t room_size = 96;

  detail::task_sink* const sink_;  // to its pool; null: there is none
  const int exceptions_;           // that were on their way when it was made
  detail::join join_;
  const std::uint64_t made_in_;                               // fork_place::run_number()
  detail::branch* kept_ = nullptr;                            // for which there was no room; home's
  std::atomic<detail::submitted_tasks*> submitted_{nullptr};  // made by who needs it first; ours
  std::atomic<bool> left_out_{false};  // something has not run because a group around this one was cancelled
  std::atomic<bool> room_taken_{false};  // set by home's thread, cleared by whoever has run what lies there
  alignas(std::max_align_t) std::byte room_[room_size];  // for one task
};

/// A function that was given to run() at home.
template <class F>
class task_group::task final : public detail::branch {
 public:
  template <class G>
  task(task_group& group, G&& f, bool in_room)
      : branch(&call, group.join_), group_(group), in_room_(in_room), f_(std::forward<G>(f)) {}

  static void* operator new(std::size_t bytes) { return detail::block_cache_of_this_thread().take(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    detail::block_cache_of_this_thread().give(memory, bytes);
  }
  static void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return ::operator new(bytes, alignment);
  }
  static void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(memory, alignment);
  }
  static void* operator new(std::size_t, void* room) noexcept { return room; }
  static void operator delete(void*, void*) noexcept {}

 private:
  static void call(branch& self) noexcept {
    auto& mine = static_cast<task&>(self);
    task_group& group = mine.group_;
    group.call(mine.f_);
    if (!mine.in_room_) {
      delete &mine;
      return;
    }
    mine.~task();
    group.room_taken_.store(false, std::memory_order_release);  // to run(), which looks with acquire
  }

  task_group& group_;
  const bool in_room_;
  F f_;
};

/// Calls all functions, perhaps at the same time, and returns when all have returned.
///
/// The first is called by the caller; the others by workers of the pool whose task calls this, as they come, or by the
/// caller behind the first. Costs some tens of nanoseconds for each and allocates nothing. Functions are called where they
/// are, neither copied nor moved; what they return is dropped. Where the caller is no task of a thread_pool, they are
/// called one after the other.
///
/// Blocks. A worker that has to wait for other workers helps them with what these functions have forked, and with nothing
/// else. May be called from any number of threads.
/// @throws an exception of a function, the first one's if that throws: functions that have not begun are then not
/// called, and those that run find this_task::stop_requested(); cancelled_error if a task_group
/// around this, in the same task, was cancelled before all have begun
template <class F, class... More>
  requires(std::invocable<F&> && (std::invocable<More&> && ...))
void parallel_invoke(F&& f, More&&... more) {
  if constexpr (sizeof...(More) != 0) {
    if (detail::fork_place* here = detail::this_fork_place) return detail::invoke_all(*here, f, more...);
  }
  static_cast<void>(std::invoke(f));
  (static_cast<void>(std::invoke(more)), ...);
}

/// The same on `pool`: from a task of that pool as above; from anywhere else as a task of it, for which the caller waits, and which
/// the caller itself runs, without the pool's workers, where a bounded pool is full and says so (when_full::run_in_caller).
/// @throws also what submit() throws: queue_full_error, shutdown_error, broken_pool_error
template <class F, class... More>
  requires(std::invocable<F&> && (std::invocable<More&> && ...))
void parallel_invoke(thread_pool& pool, F&& f, More&&... more) {
  detail::run_on(pool, [&] { parallel_invoke(f, more...); });
}

}  // namespace tandem

#endif
