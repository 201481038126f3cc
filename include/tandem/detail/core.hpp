// The type-erased shared state of one task or promise: its state word, its reference count and the callbacks
// that wait for it. Who may write what and when is the table in src/future/README.md.
// Knows nothing of result types (see result.hpp), of queues or of pools.
#ifndef TANDEM_DETAIL_CORE_HPP
#define TANDEM_DETAIL_CORE_HPP

#include <tandem/config.hpp>
#include <tandem/detail/block_cache.hpp>
#include <tandem/task_options.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace tandem {

/// Where a task stands: pending -> running -> finished, or pending -> cancelled. On a process_pool a running one may become
/// pending again: taken back from a worker that has not begun it, or to be tried again; and a running one cancelled, with
/// its worker.
enum class future_state : std::uint8_t { pending, running, cancelled, finished };

namespace detail {

class core;
struct remote_ops;
struct task_ledger;

using time_point = std::chrono::steady_clock::time_point;

/// Something to be told, once, that a core is done. Owned by the core's list from core::attach() until it is
/// fired or handed back by core::detach().
class callback {
 public:
  /// What fire() does, which decides when it is called.
  enum class kind : std::uint8_t {
    wake,  // tells a waiter and returns: fired first and at once, so that no user code holds a waiter up
    call   // may run user code and complete further cores: never fired inside another one
  };

  virtual void fire(core& done) noexcept = 0;
  /// Called in place of fire() for a callback that will never be fired.
  virtual void drop() noexcept = 0;

 protected:
  explicit constexpr callback(kind what) noexcept : kind_(what) {}
  ~callback() = default;

 private:
  friend class core;
  friend class callback_runner;
  callback* next_ = nullptr;
  core* target_ = nullptr;
  const kind kind_;
};

/// The state word. Low bits: the phase; above: flags. It is also the futex word of blocked waiters.
namespace word {
inline constexpr std::uint32_t pending = 0;
inline constexpr std::uint32_t running = 1;
inline constexpr std::uint32_t value = 2;
inline constexpr std::uint32_t failed = 3;
inline constexpr std::uint32_t cancelled = 4;
inline constexpr std::uint32_t phase_mask = 7;
inline constexpr std::uint32_t has_waiter = 1U << 3;      // somebody sleeps on the futex
inline constexpr std::uint32_t has_callback = 1U << 4;    // the callback list is not empty
inline constexpr std::uint32_t stop_requested = 1U << 5;  // cancel() met a running task
inline constexpr std::uint32_t settling = 1U << 6;        // a promise is storing its outcome
inline constexpr std::uint32_t detaching =
    1U << 9;  // somebody has the callback list out, to take his own from it
inline constexpr std::uint32_t detached = 1U << 7;  // no future: report an exception instead of storing it
inline constexpr std::uint32_t contested = 1U
                                           << 8;  // has a time limit: whoever completes it settles it first
inline constexpr std::uint32_t has_stop_source = 1U << 10;  // the running task has asked for its stop token

[[nodiscard]] constexpr std::uint32_t phase(std::uint32_t w) noexcept { return w & phase_mask; }
[[nodiscard]] constexpr bool done(std::uint32_t w) noexcept { return phase(w) >= value; }
}  // namespace word

class TANDEM_API core {
 public:
  core(const core&) = delete;
  core& operator=(const core&) = delete;

  // --- memory: tasks come and go by the million ---
  static void* operator new(std::size_t bytes) { return block_cache_of_this_thread().take(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    block_cache_of_this_thread().give(memory, bytes);
  }
  static void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return ::operator new(bytes, alignment);
  }
  static void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(memory, alignment);
  }

  // --- lifetime ---
  void add_ref(int n = 1) noexcept { refs_.fetch_add(n, std::memory_order_relaxed); }
  void release() noexcept;
  /// Drops a reference unless it is the last one: then false, and it is still the caller's, who alone knows of it.
  [[nodiscard]] bool release_unless_last() noexcept;

  // --- reading ---
  /// The state word. Acquire: pairs with the release of finish(); after it says done, the result may be read.
  [[nodiscard]] std::uint32_t load() const noexcept { return state_.load(std::memory_order_acquire); }
  [[nodiscard]] bool done() const noexcept { return word::done(load()); }
  [[nodiscard]] future_state state() const noexcept;
  /// For this_task::stop_requested(): the bit word::stop_requested of this word.
  [[nodiscard]] const TANDEM_ATOMIC<std::uint32_t>* stop_word() const noexcept { return &state_; }
  /// A token whose stop is requested when this running task shall stop. By threads that run it, or branches of it.
  /// Throws std::bad_alloc.
  [[nodiscard]] std::stop_token stop_token();
  /// Tells whether stop has been requested. A read-modify-write: whoever requests it later sees all that the caller has
  /// written before.
  [[nodiscard]] bool was_asked_to_stop() noexcept;
  /// The stored exception; null after a value. Only after done().
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

  // --- the transitions: one function each ---
  /// pending -> running. Whoever gets true, and nobody else, calls execute() or one of the complete functions.
  [[nodiscard]] bool try_start() noexcept;
  /// pending -> cancelled, payload freed; on a running task only asks it to stop. True if it is cancelled now.
  bool cancel() noexcept;
  /// As cancel(), but leaves a running task alone.
  bool cancel_pending() noexcept;
  /// running -> value; the result has been stored. Wakes, then fires. False if expire() came before: the result is not
  /// wanted any more.
  bool complete_value() noexcept { return finish(word::value); }
  /// running -> failed. False if expire() came before.
  bool complete_error(std::exception_ptr error) noexcept;
  /// running -> cancelled: for a running task that its backend was able to stop.
  void complete_cancelled() noexcept { finish(word::cancelled); }
  /// By whoever has started the task, before it runs: from now on expire() may end it.
  void set_contested() noexcept { state_.fetch_or(word::contested, std::memory_order_relaxed); }
  /// running -> failed with `error`, and a stop request, though the function goes on to run; only if contested. False
  /// if the task is done.
  bool expire(std::exception_ptr error) noexcept;
  /// running -> pending: for a task that will be tried again. False if it was asked to stop meanwhile.
  [[nodiscard]] bool return_to_pending() noexcept;
  /// For promises: the right to store an outcome, given once. False if there is an outcome or a setter already.
  [[nodiscard]] bool try_settle() noexcept;

  // --- waiting ---
  /// Blocks until done, or until the deadline; true if done. On a worker it first tries to run the task in place. Looks for
  /// some microseconds before it sleeps.
  bool wait(std::optional<time_point> deadline = std::nullopt) const noexcept;
  /// Registers a callback. False: it is done already, and the callback is still the caller's.
  [[nodiscard]] bool try_attach(callback* c) noexcept;
  /// Takes back what `mine` says is the caller's; true if one was found and dropped. If not found it has been
  /// fired, or is about to be.
  template <class Mine>
  bool detach(Mine mine) noexcept;

  /// get() may move the value out once: true for the first caller.
  [[nodiscard]] bool consume() noexcept { return !consumed_.exchange(true, std::memory_order_acq_rel); }
  /// True if the value has been moved out, so that the last release() runs no destructor of the user's.
  [[nodiscard]] bool consumed() const noexcept { return consumed_.load(std::memory_order_acquire); }

  // --- what the executor's room may touch, before it publishes the task ---
  /// Marks the task as fire-and-forget. Before it is published.
  void set_detached() noexcept { state_.fetch_or(word::detached, std::memory_order_relaxed); }
  /// Only a worker of `owner` may claim the task and run it in place; null: nobody may. It is also who is asked to stop
  /// the task when it runs.
  void set_owner(const void* owner) noexcept {
    owner_.store(reinterpret_cast<std::uintptr_t>(owner), std::memory_order_release);
  }
  /// The same, for an owner that helps those who wait: task_owner::attend().
  void set_attentive_owner(const void* owner) noexcept {
    owner_.store(reinterpret_cast<std::uintptr_t>(owner) | attends, std::memory_order_release);
  }
  /// ORDER owner: acquire pairs with set_owner(): who sees the owner sees what the task needs to be run.
  [[nodiscard]] const void* owner() const noexcept {
    const std::uintptr_t tagged = owner_.load(std::memory_order_acquire);
    return (tagged & for_reports_only) != 0 ? nullptr : reinterpret_cast<const void*>(tagged & ~tags);
  }
  /// Null if it has another owner, or none.
  [[nodiscard]] const void* attentive_owner() const noexcept {
    const std::uintptr_t tagged = owner_.load(std::memory_order_acquire);
    return (tagged & attends) == 0 ? nullptr : reinterpret_cast<const void*>(tagged & ~tags);
  }
  /// For a task that has yet to come to its owner: that one is told of errors that nobody can receive, and no more.
  /// Before it is published.
  void set_reports_to(const void* owner) noexcept {
    owner_.store(reinterpret_cast<std::uintptr_t>(owner) | for_reports_only, std::memory_order_relaxed);
  }
  /// Who is told of errors that nobody can receive; null: nobody.
  [[nodiscard]] const void* reports_to() const noexcept {
    return reinterpret_cast<const void*>(owner_.load(std::memory_order_acquire) & ~tags);
  }
  void set_options(std::unique_ptr<task_options> options) noexcept;
  /// Null when the task was submitted without options.
  [[nodiscard]] const task_options* options() const noexcept { return options_.get(); }
  /// Which try this is, from 1; counted up by whoever started the task and will return it to pending.
  [[nodiscard]] int attempt() const noexcept { return attempt_; }
  void count_attempt() noexcept { ++attempt_; }
  /// Link for the queue that holds the task; the queue's alone. Not while the task runs in this process.
  [[nodiscard]] core* queue_next() const noexcept {
    return static_cast<core*>(link_.load(std::memory_order_relaxed));
  }
  void set_queue_next(core* next) noexcept { link_.store(next, std::memory_order_relaxed); }

  // --- what the derived task gives ---
  /// Runs the callable in this thread and completes. The caller has started it.
  virtual void execute() noexcept = 0;
  /// Destroys callable and arguments. Called once, by whoever ended the pending or running phase.
  virtual void drop_payload() noexcept = 0;
  /// How to run the task in another process; null if it cannot be.
  [[nodiscard]] virtual const remote_ops* remote() const noexcept { return nullptr; }
  /// For not_portable_error: why remote() is null.
  [[nodiscard]] virtual const char* why_not_remote() const noexcept { return "it has no callable"; }

 protected:
  explicit core(int refs) noexcept : refs_(refs) {}
  virtual ~core();

 private:
  friend class callback_runner;

  bool finish(std::uint32_t phase) noexcept;
  void conclude(std::uint32_t phase) noexcept;
  void publish(std::uint32_t end) noexcept;
  [[nodiscard]] bool may_complete() noexcept;
  [[nodiscard]] bool ended_too_late() const noexcept;
  bool ask_to_stop(std::uint32_t before) noexcept;
  [[nodiscard]] std::stop_source& stop_source() const noexcept;
  [[nodiscard]] bool note_in(task_ledger& ledger, std::uint32_t phase) const noexcept;
  [[nodiscard]] bool spin_until_done(std::optional<time_point> deadline) const noexcept;
  [[nodiscard]] std::uint32_t announce_waiter() noexcept;
  void wake_waiters(std::uint32_t old) noexcept;
  void notify(std::uint32_t old) noexcept;
  void fire_callbacks() noexcept;
  callback* take_callbacks(callback* leave) noexcept;
  void give_back(callback* list) noexcept;
  void begin_detach() noexcept;
  void end_detach() noexcept;
  static callback* closed() noexcept;

  TANDEM_ATOMIC<std::uint32_t> state_{word::pending};
  TANDEM_ATOMIC<std::int32_t> refs_;
  TANDEM_ATOMIC<callback*> callbacks_{nullptr};  // newest first; closed() once done and fired
  std::exception_ptr error_;                     // written before finish(failed), read after done()
  // Written by the executor before it queues the task, read by waiters at any time: a continuation has waiters before.
  static constexpr std::uintptr_t for_reports_only = 1;  // set in it: see set_reports_to()
  static constexpr std::uintptr_t attends = 2;           // set in it: see set_attentive_owner()
  static constexpr std::uintptr_t tags = for_reports_only | attends;
  TANDEM_ATOMIC<std::uintptr_t> owner_{0};
  std::unique_ptr<task_options> options_;  // written before publication, read after it
  TANDEM_ATOMIC<bool> consumed_{false};
  int attempt_ = 1;  // handed over with the right to run
  // The queue's link; when the task has asked for its stop token, the stop source, marked (core.cpp).
  TANDEM_ATOMIC<void*> link_{nullptr};
};

template <class Mine>
bool core::detach(Mine mine) noexcept {
  // Taking the whole list (rather than unlinking) leaves no ABA: whoever holds a list owns its links. A core that
  // completes meanwhile finds nothing to fire; give_back() then fires what is left on its behalf.
  // Only one at a time does so, else the second would find an empty list and believe that its own has been fired.
  begin_detach();
  callback* list = take_callbacks(nullptr);
  callback* rest = nullptr;
  callback** tail = &rest;
  callback* found = nullptr;
  while (list != nullptr) {
    callback* next = list->next_;
    if (found == nullptr && mine(list)) {
      found = list;
    } else {
      *tail = list;
      list->next_ = nullptr;
      tail = &list->next_;
    }
    list = next;
  }
  if (rest != nullptr) give_back(rest);
  end_detach();
  if (found != nullptr) found->drop();
  return found != nullptr;
}

/// Fires a callback of a core that is done already: at once, or, of kind call and inside of another call, behind that,
/// so that calls are never nested.
TANDEM_API void fire_or_put_off(core& done, callback& c) noexcept;

/// Fires the callbacks that callbacks further up this thread's stack have put off (see callback::kind). To be called
/// before a thread blocks, which might be for just their effect. True if there were any.
TANDEM_API bool run_put_off_callbacks() noexcept;

/// How many pending tasks were cancelled since the program's start, whoever has them: a queue that has looked for those
/// of its own need not look again while this stays the same.
TANDEM_API std::uint64_t pending_cancels() noexcept;

/// Tells whether this thread is in a callback of kind call: a future's on_done(), or a continuation.
TANDEM_API bool in_callback() noexcept;

/// Reports an exception that nobody can receive, a callback's or a posted task's: to the error handler of the pool that
/// is `owner` of the task concerned, or on stderr.
TANDEM_API void report_unhandled(const char* where, const std::exception_ptr& error,
                                 const void* owner = nullptr) noexcept;

/// An owning pointer to a core, intrusively counted.
template <class Core>
class core_ptr {
 public:
  core_ptr() noexcept = default;
  /// Takes over one reference.
  explicit core_ptr(Core* c) noexcept : core_(c) {}
  core_ptr(core_ptr&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  core_ptr(const core_ptr& other) noexcept : core_(other.core_) {
    if (core_ != nullptr) core_->add_ref();
  }
  template <class Derived>
    requires std::is_convertible_v<Derived*, Core*> core_ptr(core_ptr<Derived> other)
  noexcept : core_(other.detach()) {}  // NOLINT: as pointers convert
  core_ptr& operator=(core_ptr other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~core_ptr() {
    if (core_ != nullptr) core_->release();
  }

  [[nodiscard]] Core* get() const noexcept { return core_; }
  Core* operator->() const noexcept { return core_; }
  Core& operator*() const noexcept { return *core_; }
  explicit operator bool() const noexcept { return core_ != nullptr; }
  /// Gives the reference away.
  [[nodiscard]] Core* detach() noexcept { return std::exchange(core_, nullptr); }

 private:
  Core* core_ = nullptr;
};

}  // namespace detail
}  // namespace tandem

#endif
