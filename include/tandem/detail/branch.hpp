// Fork-join under the surface: a branch is a piece of work that whoever forked it takes back or waits for; a join is where
// branches come together. Neither needs memory of its own: both lie in the frame that waits, or in a task_group.
// src/task_group/README.md has the protocol.
#ifndef TANDEM_DETAIL_BRANCH_HPP
#define TANDEM_DETAIL_BRANCH_HPP

#include <tandem/config.hpp>
#include <tandem/detail/context.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <stop_token>
#include <utility>

namespace tandem::detail {

class fork_place;
class join;

/// Forked by one thread, begun by one. Lives until it has been taken back or has run.
class TANDEM_API branch {
 public:
  /// Runs the branch; the branch may be gone when it returns, its join not.
  using function = void (*)(branch&) noexcept;

  branch(function what, join& meets) noexcept : run_(what), join_(meets) {}
  branch(const branch&) = delete;
  branch& operator=(const branch&) = delete;

  void run() noexcept { run_(*this); }
  [[nodiscard]] join& meets() const noexcept { return join_; }

 protected:
  ~branch() = default;

 private:
  friend class fork_place;

  const function run_;
  join& join_;
  // Set and read by whoever has it out of a deque.
  branch* next_;
  std::uint64_t tag_;
};

/// That of which the calling thread runs a branch, or something that is as good as one, in the task that it runs; null: none.
TANDEM_API extern thread_local constinit join* this_join;

/// For as long as it lives, what the thread runs is one of the join's branches; null: of none.
class join_scope {
 public:
  explicit join_scope(join* j) noexcept : outer_(std::exchange(this_join, j)) {}
  join_scope(const join_scope&) = delete;
  join_scope& operator=(const join_scope&) = delete;
  ~join_scope() { this_join = outer_; }

 private:
  join* const outer_;
};

/// Counts the branches that are not back, and keeps the first exception of one.
class TANDEM_API join {
 public:
  /// Made by the thread of `home`, which alone forks, in a frame that does not outlive the task or the branch around it;
  /// null: made anywhere, and nothing is forked.
  explicit join(fork_place* home) noexcept
      : home_(home),
        within_(home == nullptr ? nullptr : this_join),
        task_(home == nullptr ? nullptr : current_task_of_this_thread),
        seen_(within_ != nullptr ? within_->seen_.load(std::memory_order_relaxed)
                                 : cancellations_.load(std::memory_order_relaxed)) {}
  /// For what the caller runs as if it were a branch of `around`, which outlives this: nothing is forked in it.
  explicit join(join& around) noexcept
      : home_(nullptr),
        within_(&around),
        task_(current_task_of_this_thread),
        seen_(around.seen_.load(std::memory_order_relaxed)) {}
  join(const join&) = delete;
  join& operator=(const join&) = delete;
  ~join() {
    if (relay_.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      drop_relay();
  }

  [[nodiscard]] fork_place* home() const noexcept { return home_; }
  /// That of whose branch it was made in; null if it was made in none of its task, or has no home.
  [[nodiscard]] join* within() const noexcept { return within_; }
  /// The task in which it was made, likewise.
  [[nodiscard]] const task_context* task() const noexcept { return task_; }

  // --- by home ---
  /// A branch is about to be forked.
  void expect_one() noexcept { ++own_; }
  /// It was taken back, and has run.
  void take_off_one() noexcept { --own_; }
  /// Tells whether no branch is away.
  [[nodiscard]] bool are_back() const noexcept {
    return ((balance_.load(std::memory_order_acquire) & ~has_waiter) +
            static_cast<std::uint32_t>(own_) * one) == 0;
  }

  /// Keeps the exception, if it is the first, and cancels. By a branch, before it comes back.
  void fail(std::exception_ptr error) noexcept;
  /// Branches that have not begun will not; those that run find this_task::stop_requested(). Any thread.
  void cancel() noexcept;
  /// Tells whether this one, or one around it in the same task, was cancelled.
  [[nodiscard]] bool cancelled() const noexcept {
    return cancellations_.load(std::memory_order_relaxed) != seen_.load(std::memory_order_relaxed) &&
           look_for_cancel();
  }
  /// Tells whether this one was cancelled, whatever is around it.
  [[nodiscard]] bool is_cancelled_itself() const noexcept {
    return is_cancelled_.load(std::memory_order_seq_cst);  // ORDER cancel-submit: see task_group
  }
  /// A token of which stop is requested when cancelled() becomes true, or its task is asked to stop. By whoever runs one of its
  /// branches. Throws std::bad_alloc.
  [[nodiscard]] std::stop_token stop_token();
  [[nodiscard]] bool has_error() const noexcept { return has_error_.load(std::memory_order_relaxed); }
  /// The exception, if there is one; takes it out, and the cancellation back. Only when all branches are back.
  [[nodiscard]] std::exception_ptr take_error() noexcept;

 private:
  friend class fork_place;
  class stop_relay;

  // By home, when all are back: as if none had been stolen.
  void forget_stolen() noexcept {
    if (own_ == 0) return;
    own_ = 0;
    balance_.store(0, std::memory_order_relaxed);
  }
  [[nodiscard]] bool look_for_cancel() const noexcept;
  void drop_relay() noexcept;
  void come_back() noexcept;
  void sleep() noexcept;

  // A branch that a thief has brought back counts - 1: home has forked it and not taken it back.
  static constexpr std::uint32_t one = 2;
  static constexpr std::uint32_t has_waiter = 1;  // somebody sleeps on balance_

  fork_place* const home_;
  join* const within_;  // it was made in a branch of that one, which it does not outlive; null: in none
  const task_context* const task_;             // the same of the task
  mutable TANDEM_ATOMIC<std::uint64_t> seen_;  // value of cancellations_ at which none concerned us
  // What begins as 0 lies together.
  // Forked by home and not taken back by it: since the last wait, so that many may have come back long ago. By home's thread alone.
  std::int64_t own_ = 0;
  // All are back when own_ and the count above the lowest bit are 0 together. A futex.
  TANDEM_ATOMIC<std::uint32_t> balance_{0};
  TANDEM_ATOMIC<std::uint64_t> last_stolen_{
      0};                                      // which run of a stolen branch that was one of ours came last
  TANDEM_ATOMIC<stop_relay*> relay_{nullptr};  // ours, made by who asks for a token first
  std::exception_ptr error_;                   // written by whoever set has_error_, read when all are back
  TANDEM_ATOMIC<bool> is_cancelled_{false};
  TANDEM_ATOMIC<bool> has_error_{false};

  // How often anything was cancelled since the start of the program: while that does not change nobody looks any closer.
  static TANDEM_ATOMIC<std::uint64_t> cancellations_;
};

}  // namespace tandem::detail

#endif
