// Which workers of a pool are active, looking for work, or asleep, in one word; and the futexes they sleep on.
// Decides whom to call when work appears, so that no wake is lost and none is wasted; README.md has the proof.
// Knows no queues, no tasks and no threads: what "work" is and how a worker is started is its user's.
#ifndef TANDEM_DISPATCH_ROSTER_HPP
#define TANDEM_DISPATCH_ROSTER_HPP

#include <tandem/config.hpp>

#include "dispatch/lasting_array.hpp"
#include "posix/clock.hpp"

#include <atomic>
#include <cstdint>

namespace tandem::dispatch {

/// All members may be called by any thread. Workers are named by index, from 0.
class roster {
 public:
  static constexpr int most_workers = 8191;

  /// A snapshot of the word.
  struct view {
    std::uint64_t bits = 0;

    [[nodiscard]] int top() const noexcept {
      return field(0);
    }  // 1 + index of the last worker that went to sleep; 0
    [[nodiscard]] int searchers() const noexcept { return field(1); }
    [[nodiscard]] int active() const noexcept { return field(2); }
    [[nodiscard]] bool closed() const noexcept { return (bits & closed_bit) != 0; }
    [[nodiscard]] bool broken() const noexcept { return (bits & broken_bit) != 0; }
    [[nodiscard]] bool cancelling() const noexcept { return (bits & cancelling_bit) != 0; }
    [[nodiscard]] bool ending() const noexcept { return (bits & (closed_bit | broken_bit)) != 0; }

   private:
    [[nodiscard]] int field(int n) const noexcept {
      return static_cast<int>(bits >> (n * field_bits)) & most_workers;
    }
  };

  /// What has become of a call for a worker.
  struct call {
    enum class outcome : unsigned char {
      nobody,  // somebody searches already, or nobody sleeps
      woken,   // it comes as a searcher
      vacant,  // it has no thread any more: a searcher that the caller has to start, or to undo_start()
      asked,   // nothing is done: the one whose turn it is has no thread any more
    };
    outcome what = outcome::nobody;
    int index = 0;        // if vacant: whose bed
    bool passed = false;  // somebody who is ending was taken off the roster on the way
    [[nodiscard]] explicit operator bool() const noexcept { return what == outcome::woken; }
  };

  /// `workers`: indices are below it, until reserve(). `most_active`: as many may run tasks at the same time.
  /// @throws std::bad_alloc
  roster(int workers, int most_active);

  // --- its size: by one thread at a time ---
  /// Makes room for indices below `workers`.
  /// @throws std::bad_alloc
  void reserve(int workers) { beds_.reserve(workers); }
  /// From now on as many may be active. If that is more than before, look for work afterwards and call; if it is less,
  /// those who are too many leave when they have done with their task; wake who sleeps.
  void set_most_active(int count) noexcept;
  [[nodiscard]] int most_active() const noexcept { return most_active_.load(std::memory_order_seq_cst); }
  /// A hint for a worker between two tasks: there may be too many of them.
  [[nodiscard]] bool may_be_surplus() const noexcept { return shrunk_.load(std::memory_order_relaxed); }

  /// ORDER call-park: seq_cst. Whoever has published work looks here afterwards; see README.md.
  [[nodiscard]] view look() const noexcept { return {word_.load(std::memory_order_seq_cst)}; }
  /// True if new work needs nobody to be called: somebody is looking for it, or all run.
  [[nodiscard]] bool is_served(view v) const noexcept {
    return v.searchers() != 0 || (v.top() == 0 && v.active() >= most_active());
  }

  // --- calling: by whoever has published work and found that it is not served ---
  /// Wakes the worker that went to sleep last, as a searcher; or tells that it has no thread (asked).
  call wake_one() noexcept { return call_top(true, false); }
  /// The same, but one without a thread is called too.
  [[nodiscard]] call fill_one() noexcept { return call_top(true, true); }
  /// As fill_one(), whether or not anybody searches.
  [[nodiscard]] call fill_any() noexcept { return call_top(false, true); }
  /// Makes room for one more active worker, a searcher, which the caller starts. False if somebody searches or sleeps,
  /// or all are active.
  [[nodiscard]] bool begin_start() noexcept;
  /// The start of begin_start(), or of a vacant worker's thread, has failed. Whoever joins the threads may have seen it begin, and
  /// be waiting for it: tell him (thread_crew::note_start()).
  void undo_start() noexcept;

  // --- the states of a worker: by the worker itself ---
  /// running -> searching.
  void begin_search() noexcept { change(+1, 0); }
  /// searching -> running.
  void end_search() noexcept { change(-1, 0); }
  /// searching -> asleep; not yet: look for work once more, then sleep(). False if the pool is ending: still searching.
  [[nodiscard]] bool lie_down(int index) noexcept;
  /// Blocks until woken: searching, true. False when the time is over: still asleep, but going (ending); then vacate().
  bool sleep(int index, posix::steady_time deadline = posix::no_deadline) noexcept;
  /// ending -> vacant: true; the thread that fills the bed may come at any moment. False if a caller came meanwhile and
  /// found that the worker cannot be counted on: it has taken it off the roster.
  [[nodiscard]] bool vacate(int index) noexcept;
  /// running -> blocked: another may be active instead.
  void leave() noexcept { change(0, -1); }
  /// blocked -> running. There may be one too many now: whoever is between two tasks next goes.
  void enter() noexcept;
  /// running or searching -> off duty, if more are active than should be. True if so. Clears may_be_surplus() if not.
  [[nodiscard]] bool leave_if_surplus(bool searching) noexcept;
  /// searching -> gone.
  void retire() noexcept { change(-1, -1); }
  /// off duty -> searching: by whoever was allowed to by begin_start(); wakes the worker from nap().
  void recall(int index) noexcept { signal(index); }
  /// Off duty: blocks until recalled or until the deadline; true if recalled. prepare_nap() comes before the worker
  /// lets others know that it can be recalled.
  void prepare_nap(int index) noexcept;
  bool nap(int index, posix::steady_time deadline) noexcept;

  // --- the end: lie_down() refuses from now on. Behind it, fill_any() until nobody sleeps ---
  void close() noexcept { set(closed_bit); }
  /// As close(), for a pool that runs nothing more of what waits.
  void close_and_cancel() noexcept { set(closed_bit | cancelling_bit); }
  /// As close(), for a pool that cannot run tasks. False if it was broken already.
  bool break_down() noexcept { return set(broken_bit); }

 private:
  static constexpr int field_bits = 13;
  static constexpr std::uint64_t searcher_unit = std::uint64_t{1} << field_bits;
  static constexpr std::uint64_t active_unit = std::uint64_t{1} << (2 * field_bits);
  static constexpr std::uint64_t closed_bit = std::uint64_t{1} << (3 * field_bits);
  static constexpr std::uint64_t broken_bit = closed_bit << 1;
  static constexpr std::uint64_t cancelling_bit = closed_bit << 2;
  // Counts changes of the stack of sleepers, against ABA. Wraps after 2^22 of them, each of which is a sleep or a wake.
  static constexpr std::uint64_t tag_unit = closed_bit << 3;

  struct alignas(64) bed {
    // Futex word. `called` is written by whoever pops the bed, all others by the worker. README.md has the table.
    TANDEM_ATOMIC<std::uint32_t> state{lying};
    // 1 + index of the one that lay down before; 0: none. Written by the worker before it shows in the word.
    TANDEM_ATOMIC<std::uint32_t> below{0};
  };
  static constexpr std::uint32_t lying = 0;   // not asleep yet, or not any more
  static constexpr std::uint32_t asleep = 1;  // whoever calls makes the system call
  static constexpr std::uint32_t called = 2;
  static constexpr std::uint32_t ending = 3;  // slept for too long: runs the finalizer
  static constexpr std::uint32_t vacant = 4;  // has no thread

  void change(int searchers, int active) noexcept;
  call call_top(bool only_if_unserved, bool also_vacant) noexcept;
  std::uint32_t signal(int index) noexcept;
  bool doze(int index, posix::steady_time deadline, std::uint32_t if_over) noexcept;
  bool set(std::uint64_t bit) noexcept;

  // From the lowest bit: top of the stack of sleepers, searchers, active workers, closed, broken, cancelling, tag.
  alignas(64) TANDEM_ATOMIC<std::uint64_t> word_{0};
  // Read by everybody, written when the pool is resized.
  alignas(64) TANDEM_ATOMIC<int> most_active_;
  // There may be one too many. Set by who makes it so, behind the step; cleared by a worker that finds nobody too many.
  TANDEM_ATOMIC<bool> shrunk_{false};
  lasting_array<bed, most_workers> beds_;
};

}  // namespace tandem::dispatch

#endif
