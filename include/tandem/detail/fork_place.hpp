// A worker's side of fork-join: what it has forked and nobody has begun, and how it waits for what others have taken.
#ifndef TANDEM_DETAIL_FORK_PLACE_HPP
#define TANDEM_DETAIL_FORK_PLACE_HPP

#include <tandem/config.hpp>
#include <tandem/detail/branch.hpp>
#include <tandem/detail/fork_deque.hpp>
#include <tandem/detail/task_sink.hpp>

#include <cstddef>
#include <cstdint>

#if TANDEM_UNDER_ASAN  // <sanitizer/asan_interface.h>
extern "C" void* __asan_get_current_fake_stack();
extern "C" void* __asan_addr_is_in_fake_stack(void* fake_stack, void* address, void** begin, void** end);
#endif

namespace tandem::dispatch {
class roster;
}

namespace tandem::detail {

class fork_place;
class thread_worker;

/// The place of the calling thread; null if it is no worker of a thread_pool.
TANDEM_API extern thread_local constinit fork_place* this_fork_place;

class TANDEM_API fork_place {
 public:
  /// Of the worker number `index` of the pool whose executor::owner() is `pool`, and which takes tasks by `sink`.
  fork_place(thread_worker& worker, int index, const void* pool, task_sink& sink) noexcept;
  fork_place(const fork_place&) = delete;
  fork_place& operator=(const fork_place&) = delete;

  /// The calling thread's place in the pool whose executor::owner() this is; null if it is no worker of that.
  [[nodiscard]] static fork_place* of(const void* pool) noexcept {
    fork_place* here = this_fork_place;
    return here != nullptr && here->pool_ == pool ? here : nullptr;
  }

  /// executor::owner() of its pool.
  [[nodiscard]] const void* pool() const noexcept { return pool_; }

  /// Its pool.
  [[nodiscard]] task_sink& sink() const noexcept { return sink_; }

  // --- by the worker itself ---
  /// The number of the stolen branch that is being run, the innermost; 0: none.
  [[nodiscard]] std::uint64_t run_number() const noexcept { return run_; }
  /// Lets others take the branch; false if there is no room. `made_in`: run_number() when its join was made.
  [[nodiscard]] bool offer(branch& b, std::uint64_t made_in) noexcept {
    if (!deque_.push(&b, made_in)) [[unlikely]]
      return false;
    if (!is_served()) [[unlikely]]
      call();
    return true;
  }
  /// True if nobody has taken this branch, which was forked here: it is the caller's to run, or not.
  [[nodiscard]] bool take_back(branch& b) noexcept {
    branch* found = deque_.pop();
    return found == &b || (found != nullptr && take_back_from_below(b, *found));
  }
  /// Takes back any branch of that join; null if there is none here.
  [[nodiscard]] branch* take_back_any(join& of) noexcept;
  /// Runs a branch that was taken back.
  void run(branch& b) noexcept;
  /// Runs a branch of another place that was taken from there.
  void run_stolen(branch& b) noexcept;
  /// Keeps a branch for which offer() had no room, until wait_for().
  static void keep(branch& b, branch*& kept) noexcept {
    b.next_ = kept;
    kept = &b;
  }
  /// Blocks until all branches of the join, whose home this is, are back: runs those that lie here or are kept, of which
  /// others get as many as there is room for; helps those who have taken some. `made_in`: as for offer().
  void wait_for(join& all, std::uint64_t made_in, branch*& kept) noexcept;
  /// The same for a join of which `count` branches were forked here, are not counted, and do not lie here any more.
  void wait_for_stolen(join& all, int count) noexcept;
  /// The same where those that still lie here shall not be run.
  void leave_out(join& all, int count) noexcept;
  /// Tells whether an object is a variable of a function that this worker is in.
  [[nodiscard]] bool is_on_stack(const void* object) const noexcept {
#if TANDEM_UNDER_ASAN  // which may put variables elsewhere
    void* frames = __asan_get_current_fake_stack();
    if (frames != nullptr &&
        __asan_addr_is_in_fake_stack(frames, const_cast<void*>(object), nullptr, nullptr) != nullptr) {
      return true;
    }
#endif
    const auto there = reinterpret_cast<std::uintptr_t>(object);
    return there >= stack_bottom_ && there < stack_top_;
  }
  /// The place is the calling thread's from now on, whose stack begins there: variables of its functions lie between that and
  /// the caller's frame. Above there may be thread-local ones.
  void occupy(std::uintptr_t stack_bottom) noexcept {
    stack_bottom_ = stack_bottom;
    stack_top_ = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    this_fork_place = this;
  }

  // --- by any worker of the same pool ---
  [[nodiscard]] bool empty() const noexcept { return deque_.empty(); }
  /// About how many branches lie here.
  [[nodiscard]] std::size_t size() const noexcept { return deque_.size(); }
  [[nodiscard]] branch* steal() noexcept { return deque_.steal(); }

 private:
  [[nodiscard]] bool is_served() const noexcept;
  void call() noexcept;
  bool take_back_from_below(branch& b, branch& above) noexcept;
  template <class Wanted>
  branch* take_back_first(branch* above, Wanted wanted) noexcept;
  static void run_there(branch& b) noexcept;
  branch* next_of(join& all, std::uint64_t made_in, branch*& kept) noexcept;
  bool help(const join& all) noexcept;
  template <class LookHere>
  void wait_for_others(join& all, LookHere look_here) noexcept;
  void block(join& all) noexcept;

  fork_deque<branch> deque_;
  const dispatch::roster& roster_;  // of its pool: looked at for each fork
  thread_worker& worker_;
  const void* const pool_;
  task_sink& sink_;
  std::uintptr_t stack_bottom_ = 0;  // of the thread that has the place
  std::uintptr_t stack_top_ = 0;
  std::uint64_t run_ = 0;
  std::uint64_t last_run_ = 0;
};

}  // namespace tandem::detail

#endif
