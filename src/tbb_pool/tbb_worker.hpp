// One worker of a tbb_pool: a oneTBB arena with room for one thread, in which the worker, when it is called, serves
// the pool's queue until that is empty. Why an arena each is in README.md.
#ifndef TANDEM_TBB_POOL_TBB_WORKER_HPP
#define TANDEM_TBB_POOL_TBB_WORKER_HPP

#include <tandem/detail/context.hpp>
#include <tandem/detail/core.hpp>

#include "dispatch/ageing.hpp"
#include "executor/running_name.hpp"
#include "tbb_pool/worker_limit.hpp"

#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace tandem::detail {

class tbb_pool_state;

class tbb_worker final : public worker_context {
 public:
  tbb_worker(tbb_pool_state& pool, int index, bool spare) noexcept
      : pool_(pool), index_(index), spare_(spare) {}

  /// It works only while others block.
  [[nodiscard]] bool is_spare() const noexcept { return spare_; }
  /// Gives it a thread, to serve the queue. Throws std::bad_alloc.
  void call();
  /// For a worker that keeps its thread: sleeps until unpark(). On its own thread.
  void park() noexcept;
  void unpark() noexcept;
  /// It has a thread that sleeps in park(), or is about to. Guarded by the pool's mutex.
  bool is_parked = false;

  // --- for waiting futures: on this worker's own thread ---
  [[nodiscard]] bool try_run(core& task) noexcept override;
  // There are spares, but whether oneTBB has a thread for them cannot be known: the program may have set a limit.
  [[nodiscard]] bool can_be_stood_in_for() const noexcept override { return false; }
  void begin_blocking() noexcept override;
  void end_blocking() noexcept override;
  [[nodiscard]] int index() const noexcept override { return index_; }

  // --- for stats(): from any thread ---
  [[nodiscard]] const task_ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] std::int64_t cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  /// 0: it has no thread.
  [[nodiscard]] int thread_id() const noexcept { return thread_id_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::string task_name() const { return name_.get(); }

 private:
  void serve() noexcept;
  bool serve_some() noexcept;
  bool set_up() noexcept;
  bool run_some() noexcept;
  void run_task(core* task) noexcept;
  void execute(core& task) noexcept;
  void tear_down() noexcept;

  tbb_pool_state& pool_;
  const int index_;
  const bool spare_;
  std::optional<worker_limit> limit_;       // a spare's, from its first call() on
  bool initialized_ = false;                // on its thread only
  int blocking_ = 0;                        // likewise; depth of begin_blocking()
  dispatch::ageing turns_;                  // likewise
  std::atomic<std::uint32_t> called_{0};    // futex word of park(): set by unpark(), cleared by the worker
  task_ledger ledger_;                      // written by the worker
  std::atomic<std::int64_t> cancelled_{0};  // found cancelled when their turn came; written by the worker
  std::atomic<int> thread_id_{0};           // written by the worker
  running_name name_;
  tbb::task_arena arena_{1, 0};  // no slot is kept for threads from outside: none comes
};

}  // namespace tandem::detail

#endif
