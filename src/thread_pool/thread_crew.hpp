// The threads of a thread_pool: who has which place, and how threads are started, rest, end and are joined.
// Decides nothing about work: when a thread is needed is said by the roster, through thread_pool_state.
#ifndef TANDEM_THREAD_POOL_THREAD_CREW_HPP
#define TANDEM_THREAD_POOL_THREAD_CREW_HPP

#include "dispatch/lasting_array.hpp"
#include "dispatch/roster.hpp"
#include "thread_pool/thread_worker.hpp"

#include <boost/thread/thread.hpp>

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <vector>

namespace tandem::detail {

class thread_pool_state;

class thread_crew {
 public:
  /// For `most` threads at a time. Starts none.
  /// @throws std::bad_alloc
  thread_crew(thread_pool_state& pool, int most);
  thread_crew(const thread_crew&) = delete;
  thread_crew& operator=(const thread_crew&) = delete;
  ~thread_crew();

  // --- places: indices from 0 on; threads take the lowest free one ---
  /// How many places have ever been taken.
  [[nodiscard]] int places() const noexcept { return places_.load(std::memory_order_acquire); }
  /// The worker of a place below places(). It stays when its thread ends, for the next one.
  [[nodiscard]] thread_worker& at(int index) const noexcept {
    return *workers_[index].load(std::memory_order_acquire);
  }
  /// Tells whether the calling thread is one of ours.
  [[nodiscard]] bool has_this_thread() const noexcept;
  /// The workers that have a thread now.
  [[nodiscard]] std::vector<const thread_worker*> present() const;

  /// From now on there may be `most` threads at a time. Those that are too many stay until they end on their own.
  /// @throws std::bad_alloc
  void set_most(int most);

  /// Interrupts the worker that runs `task` now, which has been asked to stop; nobody, if none does.
  void interrupt(const core& task) noexcept;

  // --- more threads ---
  /// A hint: whether there may be more threads than there are now.
  [[nodiscard]] bool may_grow() const noexcept { return available_.load(std::memory_order_seq_cst) > 0; }
  /// Behind roster::begin_start(): recalls a resting worker or starts a thread. If it cannot, it takes the start back;
  /// returns why, if that was for want of resources.
  [[nodiscard]] std::string start() noexcept { return start(nowhere); }
  /// Behind roster::fill_one(): the same, for the worker of a vacant place.
  [[nodiscard]] std::string start_at(int vacant) noexcept { return start(vacant); }
  /// Behind roster::fill_any(): nobody shall come to that vacant place; its start is taken back.
  void give_up(int vacant) noexcept;

  // --- fewer threads ---
  /// Called by a worker that has left the roster. Blocks; true if it was recalled, false if it shall end.
  [[nodiscard]] bool rest(int index) noexcept;
  /// The pool is ending: nobody rests any more.
  void dismiss_resting() noexcept;
  /// Joins one thread, waiting for its end; false if there is none.
  bool join_one();
  /// From now on, nobody will join.
  void detach_all() noexcept;
  /// Changes whenever a start has succeeded or failed; await_start() sleeps while it is as told.
  [[nodiscard]] std::uint32_t starts() const noexcept { return starts_.load(std::memory_order_seq_cst); }
  void await_start(std::uint32_t seen) noexcept;
  /// A start has succeeded, or has been taken back.
  void note_start() noexcept;

 private:
  enum class presence : unsigned char { absent, on_duty, resting, dismissed, vacant };
  static constexpr int nowhere = -1;
  // Shared with the worker, which is interrupted through it: also while somebody joins the thread.
  using thread_ptr = std::shared_ptr<boost::thread>;
  struct place {
    thread_ptr thread;
    presence who = presence::absent;
  };

  [[nodiscard]] std::string start(int vacant) noexcept;
  [[nodiscard]] std::string try_start(int vacant) noexcept;
  [[nodiscard]] int free_place() const noexcept;
  void start_thread(int index);
  void recall_one() noexcept;
  void clear(int index) noexcept;
  void join_ended() noexcept;
  void detach_leaving() noexcept;
  void thread_ended(int index, bool idle) noexcept;

  thread_pool_state& pool_;
  // By index; made when first needed.
  dispatch::lasting_array<std::atomic<thread_worker*>, dispatch::roster::most_workers> workers_;
  std::atomic<int> places_{0};
  // Threads that could be started or recalled, written under the mutex: a hint that saves it. Below 0 after a resize,
  // for as long as there are more threads than there may be. A vacant place is its worker's: it does not count.
  std::atomic<int> available_;
  std::atomic<std::uint32_t> starts_{0};  // futex word of await_start()

  mutable std::mutex mutex_;       // guards what follows
  int most_;                       // threads at a time
  std::vector<place> threads_;     // never fewer than places()
  std::vector<int> resting_;       // indices; the last one is recalled first
  std::list<thread_ptr> leaving_;  // threads at their very end, whose places have been taken again
  bool detached_ = false;          // nobody will join

  std::mutex joining_mutex_;  // held by whoever has taken threads out of leaving_; taken before mutex_
};

}  // namespace tandem::detail

#endif
