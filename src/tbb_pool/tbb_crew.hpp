// The workers of a tbb_pool and who of them has nothing to do: as many as the pool may use at a time, and spares that
// stand in for those that block. Chooses and counts; calls nobody.
#ifndef TANDEM_TBB_POOL_TBB_CREW_HPP
#define TANDEM_TBB_POOL_TBB_CREW_HPP

#include "tbb_pool/tbb_worker.hpp"

#include <atomic>
#include <deque>
#include <vector>

namespace tandem::detail {

/// Guarded by the pool's mutex, but for what says otherwise.
class tbb_crew {
 public:
  /// How many blocked workers can be stood in for at a time.
  static constexpr int most_spares = 64;

  tbb_crew(tbb_pool_state& pool, int workers);

  /// All that there can be, spares last. Never changes: without the mutex.
  [[nodiscard]] const std::deque<tbb_worker>& all() const noexcept { return all_; }
  /// Whether take_idle() finds one. Without the mutex; seq_cst, for `call-rest`.
  [[nodiscard]] bool can_call() const noexcept { return callable_.load(std::memory_order_seq_cst) != 0; }
  /// One that has nothing to do and may work, the one that rested last; null if there is none.
  [[nodiscard]] tbb_worker* take_idle() noexcept;
  /// It has nothing to do.
  void rest(tbb_worker& worker) noexcept;
  /// Takes back the latest rest().
  void unrest(tbb_worker& worker) noexcept;
  /// It will never work again.
  void retire(const tbb_worker& worker) noexcept;
  /// A spare that is not needed any more: as many work without it as may. Without the mutex it may be out of date.
  [[nodiscard]] bool is_surplus(const tbb_worker& worker) const noexcept {
    return worker.is_spare() &&
           spares_at_work_.load(std::memory_order_relaxed) > blocked_.load(std::memory_order_relaxed);
  }
  /// A worker's task blocks, or goes on.
  void begin_blocking() noexcept { count_blocked(1); }
  void end_blocking() noexcept { count_blocked(-1); }
  /// Takes out one that sleeps with its thread, to be unparked; null if there is none.
  [[nodiscard]] tbb_worker* take_parked() noexcept;

 private:
  [[nodiscard]] std::vector<tbb_worker*>& bench_of(const tbb_worker& worker) noexcept {
    return worker.is_spare() ? idle_spares_ : idle_;
  }
  void count_blocked(int change) noexcept;
  void publish() noexcept;

  std::deque<tbb_worker> all_;
  std::vector<tbb_worker*> idle_;         // the last one is called first
  std::vector<tbb_worker*> idle_spares_;  // likewise
  std::atomic<int> blocked_{0};  // workers whose task blocks; written under the mutex, as what follows
  std::atomic<int> spares_at_work_{0};
  std::atomic<int> callable_{0};  // how often take_idle() would find one
};

}  // namespace tandem::detail

#endif
