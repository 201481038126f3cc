// One worker of a thread_pool: its loop (take a task, run it, look for the next, sleep), and what it tells waiting
// futures. Belongs to a place (index) of the pool, which outlives the threads that take it one after the other.
#ifndef TANDEM_THREAD_POOL_THREAD_WORKER_HPP
#define TANDEM_THREAD_POOL_THREAD_WORKER_HPP

#include <tandem/detail/context.hpp>
#include <tandem/detail/core.hpp>
#include <tandem/detail/fork_place.hpp>

#include "dispatch/ageing.hpp"
#include "dispatch/batch_ring.hpp"
#include "dispatch/victims.hpp"
#include "executor/running_name.hpp"
#include "posix/spin.hpp"
#include "posix/stack.hpp"
#include "thread_pool/interruption.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace tandem::detail {

class thread_pool_state;

class thread_worker final : public worker_context {
 public:
  thread_worker(thread_pool_state& pool, int index) noexcept;

  /// How a thread's life has ended: off the roster; or idle for too long, in its bed (roster::vacate()).
  enum class end : unsigned char { off_duty, idle };
  /// The thread's whole life between its start and its end, as a searcher that is counted as active.
  end run() noexcept;

  // --- for waiting futures: on this worker's own thread ---
  [[nodiscard]] bool try_run(core& task) noexcept override;
  void task_left(const core& task) noexcept override { interruption_.task_left(task); }
  [[nodiscard]] bool can_be_stood_in_for() const noexcept override;
  void begin_blocking() noexcept override;
  void end_blocking() noexcept override;
  [[nodiscard]] int index() const noexcept override { return index_; }

  // --- for the crew, under its mutex ---
  void set_thread(std::shared_ptr<boost::thread> thread) noexcept {
    interruption_.set_thread(std::move(thread));
  }
  void interrupt(const core& task) noexcept { interruption_.interrupt(task); }

  // --- for the pool: from any thread ---
  using ring = dispatch::batch_ring<core>;
  [[nodiscard]] ring& waiting() noexcept { return ring_; }
  [[nodiscard]] fork_place& forks() noexcept { return forks_; }
  /// It runs the user's initializer. Whoever sees what that has forked sees this, too.
  [[nodiscard]] bool is_initializing() const noexcept {
    return is_initializing_.load(std::memory_order_acquire);
  }
  [[nodiscard]] thread_pool_state& pool() noexcept { return pool_; }

  // --- for fork-join: on this worker's own thread ---
  /// False when it had better leave work to others, for it is deep in tasks that wait for tasks.
  [[nodiscard]] bool has_stack_to_help() const noexcept { return stack_.left() >= stack_at_start_ / 2; }

  [[nodiscard]] const task_ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] std::int64_t cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  [[nodiscard]] int thread_id() const noexcept { return thread_id_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t tasks_done() const noexcept;
  [[nodiscard]] std::string task_name() const { return name_.get(); }

 private:
  bool set_up() noexcept;
  void finalize() noexcept;
  core* next() noexcept;
  core* take() noexcept;
  core* next_of_batch() noexcept;
  std::size_t gather(core** batch) noexcept;
  std::size_t gather_by_priority(core** batch) noexcept;
  std::size_t gather_normal(core** batch) noexcept;
  std::size_t take_left_behind(core** batch) noexcept;
  std::size_t steal(core** batch, std::size_t most) noexcept;
  bool run_stolen() noexcept;
  template <class Ask>
  void ask_others(Ask ask) noexcept;
  void note_found() noexcept;
  void search() noexcept;
  void run_task(core* task) noexcept;
  void execute(core& task, bool last_known) noexcept;
  void drop(core* task) noexcept;
  void forget_finishing() noexcept;

  thread_pool_state& pool_;
  const int index_;
  bool searching_ = false;  // counted as a searcher in the roster
  bool idle_ = false;       // its time asleep is over
  std::atomic<bool> is_initializing_{false};
  int blocking_ = 0;   // depth of begin_blocking()
  int found_few_ = 0;  // takes in a row, each straight after a task, that found some, but few
  dispatch::victims victims_;
  dispatch::ageing turns_;  // only once there have been priorities
  posix::stack_bounds stack_;
  std::size_t stack_at_start_ = 0;  // bytes that were left for the first task
  ring ring_;
  posix::spin_budget searching_time_;
  fork_place forks_;
  alignas(64) task_ledger ledger_;            // of all threads that had this place
  std::atomic<std::int64_t> cancelled_{0};    // found cancelled when their turn came; written by the worker
  std::atomic<std::int64_t> done_before_{0};  // finished by earlier threads of this place
  std::atomic<int> thread_id_{0};
  std::atomic<int> domain_{0};  // whose cache it was near when it last looked for work; a hint for thieves
  running_name name_;
  interruption interruption_;
};

}  // namespace tandem::detail

#endif
