// What a bounded pool does with a submit that finds its queue full: lets the submitter sleep, throws, or runs the task
// there. Owns the sleepers and the tasks that run in their submitters. How full the queue is, is the pool's to say.
#ifndef TANDEM_EXECUTOR_QUEUE_BOUND_HPP
#define TANDEM_EXECUTOR_QUEUE_BOUND_HPP

#include <tandem/detail/core.hpp>
#include <tandem/executor.hpp>
#include <tandem/task_options.hpp>

#include "executor/outsiders.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace tandem::detail {

/// How a task comes to a pool, which decides what becomes of it when the queue is full.
enum class admission : unsigned char {
  by_policy,  // from submit() or post(): as when_full says
  chunk,      // of a map, which has only a few at a time: as when_full says, but never rejected
  always      // a continuation: nobody is there to wait, or to be told
};

/// What a queue_bound asks its pool.
class bounded_queue {
 public:
  /// Counts one more task as waiting, unless the queue is full: then false.
  [[nodiscard]] virtual bool try_enter() noexcept = 0;
  /// The same, full or not.
  virtual void enter_anyway() noexcept = 0;
  /// Throws shutdown_error or broken_pool_error if the pool accepts nothing any more.
  virtual void throw_if_closed() const = 0;
  /// The calling thread is needed to empty the queue.
  [[nodiscard]] virtual bool is_own_worker() const noexcept = 0;

 protected:
  ~bounded_queue() = default;
};

/// Thread-safe. README.md of this room has the protocol of sleeping and waking.
class queue_bound {
 public:
  /// `pool` is its name in messages; `capacity` is not negative, 0: there is no bound.
  queue_bound(const char* pool, int capacity, when_full policy) noexcept
      : pool_(pool), capacity_(capacity), policy_(policy) {}

  [[nodiscard]] bool exists() const noexcept { return capacity_ != 0; }
  [[nodiscard]] int capacity() const noexcept { return capacity_; }

  /// Behind a try_enter() that has failed. True: the task has entered. False: the caller shall run_here() it. Throws
  /// queue_full_error, or what throw_if_closed() throws. Blocks only with when_full::block.
  [[nodiscard]] bool admit(const core& task, admission how, bounded_queue& queue);

  /// There is more room than before, or the pool is closed: wakes those who wait for either.
  void wake() noexcept {
    // ORDER room-sleep: seq_cst, behind the change of the count (or the closing of the pool), which is seq_cst too.
    if (sleepers_.load(std::memory_order_seq_cst) != 0) wake_all();
  }

  /// Runs a task in this thread, for admit() has said so. Throws what throw_if_closed() throws.
  void run_here(core& task, const bounded_queue& queue);
  /// The calling thread is in run_here() of this pool.
  [[nodiscard]] bool runs_here() const noexcept { return callers_.is_here(); }
  /// Blocks until nobody is in run_here(). For the end of a pool that is closed; not while runs_here().
  void await_callers() noexcept { callers_.await_none(); }

  /// Counts the tasks that were run here.
  void add_to(executor_stats& stats) const noexcept;

 private:
  void wake_all() noexcept;
  void wait_for_room(const core& task, bounded_queue& queue);
  [[nodiscard]] std::string describe() const;

  const char* const pool_;
  const int capacity_;
  const when_full policy_;
  // Futex word: 1 while somebody may sleep. Set by submitters, cleared by whoever wakes them.
  std::atomic<std::uint32_t> sleepers_{0};
  outsiders callers_;  // threads in run_here()
  std::atomic<std::int64_t> finished_{0};
  std::atomic<std::int64_t> failed_{0};
  std::atomic<std::int64_t> cancelled_{0};
};

}  // namespace tandem::detail

#endif
