// What a thread_pool and its workers share: queue, roster, places of the workers, and the ways into the pool
// (enqueue) and out of it (shutdown, broken). Held by the pool and by each of its threads, so that a pool destroyed
// on its own worker leaves nothing dangling.
#ifndef TANDEM_THREAD_POOL_THREAD_POOL_STATE_HPP
#define TANDEM_THREAD_POOL_THREAD_POOL_STATE_HPP

#include <tandem/executor.hpp>
#include <tandem/thread_pool.hpp>

#include "dispatch/injector.hpp"
#include "dispatch/roster.hpp"
#include "thread_pool/thread_worker.hpp"

#include <boost/thread/thread.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tandem::detail {

class thread_pool_state : public std::enable_shared_from_this<thread_pool_state> {
 public:
  /// `options` have been checked.
  explicit thread_pool_state(thread_pool_options options);
  ~thread_pool_state();

  void enqueue(core_ptr<core> task);
  void shutdown(const shutdown_options& options);
  [[nodiscard]] executor_stats stats() const;
  /// The pool is being destroyed: as shutdown() where that can be; never throws, never joins its own thread.
  void abandon() noexcept;
  [[nodiscard]] bool in_forked_child() const noexcept;
  [[nodiscard]] const thread_pool_options& options() const noexcept { return options_; }

  // --- for its workers ---
  [[nodiscard]] dispatch::injector<core>& injector() noexcept { return injector_; }
  [[nodiscard]] dispatch::roster& roster() noexcept { return roster_; }
  /// True if a task waits in any queue.
  [[nodiscard]] bool has_work() const noexcept;
  /// After work was published, or a worker ceased to be available: sees to it that somebody takes it.
  void call_worker() noexcept;
  /// The same, if there is work: for whoever was counted on, and is not available any more.
  void call_if_needed() noexcept {
    if (has_work()) call_worker();
  }
  /// A hint: whether there may be more threads than there are now.
  [[nodiscard]] bool may_grow() const noexcept { return available_.load(std::memory_order_seq_cst) > 0; }
  /// Places that have ever been taken; at(i) for i below it.
  [[nodiscard]] int places() const noexcept { return places_.load(std::memory_order_acquire); }
  [[nodiscard]] thread_worker& at(int index) noexcept {
    return *workers_[index].load(std::memory_order_acquire);
  }
  /// The worker is not needed now. Blocks; true if it was recalled, false if it shall end.
  bool rest(thread_worker& worker) noexcept;
  /// A worker could not be set up: the pool can run nothing any more.
  void break_down(const std::string& why) noexcept;
  void fail_tasks(dispatch::batch_ring<core>& ring) noexcept;
  /// The initializer is about to run, or has run: meanwhile the worker does not look for work, but will.
  void begin_initializer() noexcept;
  void end_initializer() noexcept;
  [[nodiscard]] bool may_spin() const noexcept { return may_spin_; }

 private:
  enum class presence : unsigned char { absent, on_duty, resting, dismissed };
  struct place {
    boost::thread thread;
    presence who = presence::absent;
  };

  void start_worker() noexcept;
  void start_thread(int index);
  void put_away(boost::thread thread);
  void thread_ended(int index) noexcept;
  bool someone_is_coming() const noexcept;
  void dismiss_resting() noexcept;
  void join_all();
  void cancel_waiting() noexcept;
  template <class Each>
  void drain(Each each) noexcept;
  template <class Each>
  void drain(dispatch::batch_ring<core>& ring, Each each) noexcept;
  [[nodiscard]] bool on_own_worker() const noexcept;
  [[noreturn]] void refuse() const;
  void fail(core* task) noexcept;

  const thread_pool_options options_;
  const int most_threads_;  // workers and spares
  const bool may_spin_;
  const std::uint32_t generation_;  // of forks: where the threads are
  dispatch::injector<core> injector_;
  dispatch::roster roster_;
  std::unique_ptr<std::atomic<thread_worker*>[]>
      workers_;  // by index, made when first needed, kept until the end
  std::atomic<int> places_{0};
  std::atomic<int> initializing_{0};
  std::atomic<std::int64_t> cancelled_{0};  // by shutdown()
  std::atomic<std::int64_t> failed_{0};     // because the pool is broken

  mutable std::mutex mutex_;  // guards what follows
  std::vector<place> threads_;
  std::vector<int> resting_;            // indices; the last one is recalled first
  std::vector<boost::thread> leaving_;  // threads at their very end, whose places have been taken again
  bool detached_ = false;               // the pool is gone: nobody will join
  std::string broken_why_;
  // Counted up, and its sleepers woken, whenever a start has succeeded or failed. Futex word of join_all().
  std::atomic<std::uint32_t> starts_{0};
  std::atomic<int>
      available_;          // threads that could still be started or recalled: a hint that saves the mutex
  std::mutex join_mutex_;  // held by whoever joins; taken before mutex_
};

}  // namespace tandem::detail

#endif
