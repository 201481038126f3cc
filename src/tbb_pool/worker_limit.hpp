// How many threads oneTBB may have: raised for the pools that live, because its own limit counts CPUs, and a worker
// may block. Owns the process's one global_control of tandem. Decides nothing about a single pool.
#ifndef TANDEM_TBB_POOL_WORKER_LIMIT_HPP
#define TANDEM_TBB_POOL_WORKER_LIMIT_HPP

namespace tandem::detail {

/// While one lives, oneTBB may have `workers` more threads than without. To be made before the arenas that need them.
///
/// The limit follows the highest sum of all that lived at one time and never goes down: oneTBB 2021.8 loses an arena
/// (and tbb::finalize() then waits for it for ever) whose thread it recalls for a lower limit before that thread has
/// noticed that the arena has nothing more to do.
class worker_limit {
 public:
  explicit worker_limit(int workers);
  worker_limit(const worker_limit&) = delete;
  worker_limit& operator=(const worker_limit&) = delete;
  ~worker_limit();

 private:
  const int workers_;
};

}  // namespace tandem::detail

#endif
