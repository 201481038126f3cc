// future<T>, shared_future<T> and promise<T>: typed handles on one shared state (detail/core.hpp). The handles hold
// a reference and nothing else; all synchronization is the state's.
#ifndef TANDEM_FUTURE_HPP
#define TANDEM_FUTURE_HPP

#include <tandem/detail/access.hpp>
#include <tandem/detail/continuation.hpp>
#include <tandem/detail/core.hpp>
#include <tandem/detail/result.hpp>
#include <tandem/error.hpp>
#include <tandem/task_options.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <future>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace tandem {

template <class T>
class promise;

namespace detail {

// T where a parameter can have that type.
template <class T>
using settable = std::conditional_t<std::is_object_v<T>, T, std::monostate>;

[[noreturn]] TANDEM_API void throw_no_state(const char* what);
[[noreturn]] TANDEM_API void throw_consumed();
[[noreturn]] TANDEM_API void throw_wait_timeout(const char* call, std::chrono::nanoseconds waited);
/// Throws what a finished core holds if that is not a value.
TANDEM_API void throw_if_failed(const core& done);

/// Nothing if `when` is too far away to be counted in nanoseconds.
template <class Clock, class Duration>
[[nodiscard]] std::optional<time_point> to_steady(const std::chrono::time_point<Clock, Duration>& when) {
  // As double first: the difference of time points like sys_days::max() overflows.
  using seconds = std::chrono::duration<double>;
  const auto now = Clock::now();
  const seconds ahead = seconds(when.time_since_epoch()) - seconds(now.time_since_epoch());
  if (!(ahead < time_limit::longest)) return std::nullopt;
  if (ahead < seconds(-1)) return time_point();
  return std::chrono::steady_clock::now() + std::chrono::ceil<time_point::duration>(when - now);
}

/// What future and shared_future have in common.
template <class T>
class future_base {
 public:
  /// Tells whether there is a shared state: false after default construction and after being moved from. Every
  /// other member throws invalid_state_error without one.
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(core_); }

  /// Blocks until the task is done. On a worker of the task's own pool it runs the task in place if it has not
  /// started, and never deadlocks.
  void wait() const { state_ref("wait").wait(); }

  /// Blocks until done or until `timeout` has passed; zero or less: asks only. True if done. Never throws for time.
  /// Unlike wait() it never runs the task in place, which might take longer.
  template <class Rep, class Period>
  bool wait_for(const std::chrono::duration<Rep, Period>& timeout) const {
    return state_ref("wait_for").wait(time_limit(timeout).deadline());
  }

  /// As wait_for(), until `deadline` of any clock. Its distance is taken once: later steps of a clock that can be set
  /// are not followed.
  template <class Clock, class Duration>
  bool wait_until(const std::chrono::time_point<Clock, Duration>& deadline) const {
    return state_ref("wait_until").wait(to_steady(deadline));
  }

  /// Tells whether the task is done: with a value, an exception, or cancelled. Does not block.
  [[nodiscard]] bool is_ready() const { return state_ref("is_ready").done(); }
  /// Where the task stands now. Does not block.
  [[nodiscard]] future_state state() const { return state_ref("state").state(); }
  /// Tells whether a worker is running the task now; of a process_pool, whether a worker process has it or is about to
  /// get it. Does not block.
  [[nodiscard]] bool running() const { return state() == future_state::running; }
  /// Tells whether the task was cancelled. Does not block.
  [[nodiscard]] bool cancelled() const { return state() == future_state::cancelled; }

  /// Waits as wait() does and returns the stored exception: null after a value, a cancelled_error after a cancel.
  /// The outcome stays: get() may follow.
  [[nodiscard]] std::exception_ptr exception() const {
    const core& c = state_ref("exception");
    c.wait();
    if (c.state() == future_state::cancelled) return std::make_exception_ptr(cancelled_error());
    return c.error();
  }

  /// As exception(), but throws timeout_error if the task is not done within `timeout`.
  template <class Rep, class Period>
  [[nodiscard]] std::exception_ptr exception(const std::chrono::duration<Rep, Period>& timeout) const {
    wait_or_throw("exception", timeout);
    return exception();
  }

  /// Cancels. A pending task never runs, its callable and arguments are destroyed before this returns: true. A
  /// cancelled one: true. A running one is asked to stop (this_task::stop_requested()): false, unless its pool can
  /// end it. A finished one is left as it is: false. May be called from any thread; waits for nobody. O(1), but for a
  /// running task its pool's workers are gone through. Callbacks of the future, and of the running task's stop token, are
  /// called here.
  bool cancel() { return state_ref("cancel").cancel(); }

 protected:
  future_base() noexcept = default;
  /// Takes over one reference to a state.
  explicit future_base(core_ptr<result<T>> core) noexcept : core_(std::move(core)) {}

  /// The state. @throws invalid_state_error that names the call `what` if there is none
  [[nodiscard]] core& state_ref(const char* what) const {
    if (!core_) throw_no_state(what);
    return *core_;
  }

  /// Waits for `timeout`. @throws timeout_error that names the call if it is not done by then
  template <class Rep, class Period>
  void wait_or_throw(const char* call, const std::chrono::duration<Rep, Period>& timeout) const {
    const time_limit limit(timeout);
    if (!state_ref(call).wait(limit.deadline())) throw_wait_timeout(call, limit.value());
  }

  /// Calls `cb` with a handle of type Handle on the finished state.
  template <class Handle, class Callback>
  void add_callback(Callback&& cb) const {
    (void)state_ref("on_done");
    const core_ptr<result<T>> state =
        core_;  // a callback may destroy this handle and drop the last reference
    auto call = [cb = std::decay_t<Callback>(std::forward<Callback>(cb))](core& done) mutable noexcept {
      try {
        done.add_ref();
        Handle handle{core_ptr<result<T>>(static_cast<result<T>*>(&done))};
        if constexpr (std::is_invocable_v<decltype(cb)&, Handle&>) {
          std::invoke(cb, handle);
        } else if constexpr (std::is_invocable_v<decltype(cb)&, Handle>) {
          std::invoke(cb, std::move(handle));
        } else {
          std::invoke(cb);
        }
      } catch (...) {
        report_unhandled("a future's callback", std::current_exception(), done.reports_to());
      }
    };
    auto node = std::make_unique<function_callback<decltype(call)>>(std::move(call));
    if (state->try_attach(node.get())) {
      (void)node.release();  // the list owns it
    } else {
      node.release()->fire(*state);
    }
  }

  /// The state; empty: none.
  core_ptr<result<T>> core_;

 private:
  friend struct detail::access;
};

}  // namespace detail

/// The result of one task, to be had once.
///
/// Move-only. Dropping it neither blocks nor cancels: the task still runs. One future must not be used by two
/// threads at once, except that cancel() and the questions (is_ready, state, ...) may be called at any time from
/// any thread.
template <class T>
class future : public detail::future_base<T> {
  using base = detail::future_base<T>;

 public:
  /// What get() gives; void and references are possible.
  using value_type = T;

  /// A future without a state: valid() is false.
  future() noexcept = default;
  future(future&&) noexcept = default;
  future& operator=(future&&) noexcept = default;
  future(const future&) = delete;
  future& operator=(const future&) = delete;

  /// Waits as wait() does, then moves the value out, or throws what the task threw, or cancelled_error.
  /// A second call throws invalid_state_error; the state (is_ready(), exception()) can still be read.
  T get() {
    auto& c = ready("get");
    if (!c.consume()) detail::throw_consumed();
    detail::throw_if_failed(c);
    return c.take();
  }

  /// As get(), but throws timeout_error if the task is not done within `timeout`; the future stays usable.
  template <class Rep, class Period>
  T get(const std::chrono::duration<Rep, Period>& timeout) {
    this->wait_or_throw("get", timeout);
    return get();
  }

  /// Calls `cb` once when the task is done, with a value, an exception or cancelled: in the thread that ends it, now
  /// and then in one that waits for the same future, or at once in this one if it is done. `cb` gets this future (as
  /// `future<T>&`: get() in it takes the value from the owner), or nothing. Callbacks are called in the order of
  /// registration. What a callback throws goes to the pool's error_handler, or is reported on stderr, and stops nothing.
  template <class Callback>
  void on_done(Callback&& cb) {
    this->template add_callback<future>(std::forward<Callback>(cb));
  }

  /// Calls `f` when this future is done, and gives a future of its result; this future is left without a state.
  ///
  /// `f` gets the value (nothing for void): then it is not called after an exception or a cancel, which become the
  /// outcome of the new future at once, so that a chain is left at its first failure. Or, if it cannot be called with
  /// the value, it gets the finished future, whatever its outcome. When `f` returns a future, the new future has that
  /// one's value, not the future itself, to any depth.
  ///
  /// get() in a task on a future of then(), when_all() or when_any() cannot run what that waits for in place, so it
  /// takes a spare worker; to return the future from a then() costs none.
  ///
  /// It runs in the thread that ends this future, or at once in this one if it is done (in a callback: when that returns
  /// or waits), so it should be short; see then(executor, f). Cancelling the new future keeps `f` from being called and leaves the predecessor alone. One
  /// allocation; chains of any length need no stack. @throws invalid_state_error without a state
  template <class F>
    requires detail::continues<F, future>
  [[nodiscard]] auto then(F&& f) {
    (void)this->state_ref("then");
    const auto source = std::move(this->core_);
    return detail::continue_with<future, detail::never_remote>(source, nullptr, std::forward<F>(f));
  }

  /// As then(f), but `f` runs as a task of `on`, which must live until this future is done and the task has been queued:
  /// at the latest until the new future has a value or an exception. (If that is cancelled, the thread that ends this
  /// future may be queueing the task all the same.) If `on` does not take it any more, its shutdown_error is the
  /// outcome. On a process_pool `f` must take the value, and both must be portable.
  template <std::derived_from<detail::task_sink> Executor, class F>
    requires detail::continues<F, future>
  [[nodiscard]] auto then(Executor& on, F&& f) {
    (void)this->state_ref("then");
    using remote = typename detail::remote_for<Executor, std::decay_t<F>, future>::type;
    const auto source = std::move(this->core_);
    return detail::continue_with<future, remote>(source, &on, std::forward<F>(f));
  }

  /// Gives the state to a shared_future; this future is left without one.
  [[nodiscard]] shared_future<T> share() {
    (void)this->state_ref("share");
    return shared_future<T>(std::move(this->core_));
  }

 private:
  friend detail::future_base<T>;
  friend struct detail::access;
  friend class promise<T>;
  explicit future(detail::core_ptr<detail::result<T>> core) noexcept : base(std::move(core)) {}

  detail::result<T>& ready(const char* what) {
    if (!this->core_) detail::throw_no_state(what);
    this->core_->wait();
    return *this->core_;
  }
};

/// The result of one task, to be had any number of times. Copyable; copies may be used by different threads at once.
template <class T>
class shared_future : public detail::future_base<T> {
  using base = detail::future_base<T>;

 public:
  /// What get() gives; void and references are possible.
  using value_type = T;

  /// A future without a state: valid() is false.
  shared_future() noexcept = default;
  /// Takes over the state of `other`.
  shared_future(future<T>&& other) : shared_future(other.share()) {}  // NOLINT: as std::shared_future

  /// Waits as wait() does, then gives the value (a reference into the state, good while any copy lives), or throws
  /// what the task threw, or cancelled_error.
  decltype(auto) get() const {
    if (!this->core_) detail::throw_no_state("get");
    this->core_->wait();
    detail::throw_if_failed(*this->core_);
    if constexpr (std::is_void_v<T> || std::is_reference_v<T>) {
      return this->core_->get();
    } else {
      return std::as_const(this->core_->get());
    }
  }

  /// As get(), but throws timeout_error if the task is not done within `timeout`.
  template <class Rep, class Period>
  decltype(auto) get(const std::chrono::duration<Rep, Period>& timeout) const {
    this->wait_or_throw("get", timeout);
    return get();
  }

  /// As future::then(), but `f` gets a reference to the value, or a shared_future; this one keeps its state.
  template <class F>
    requires detail::continues<F, shared_future>
  [[nodiscard]] auto then(F&& f) const {
    (void)this->state_ref("then");
    return detail::continue_with<shared_future, detail::never_remote>(this->core_, nullptr,
                                                                      std::forward<F>(f));
  }

  /// As future::then(executor, f).
  template <std::derived_from<detail::task_sink> Executor, class F>
    requires detail::continues<F, shared_future>
  [[nodiscard]] auto then(Executor& on, F&& f) const {
    (void)this->state_ref("then");
    using remote = typename detail::remote_for<Executor, std::decay_t<F>, shared_future>::type;
    return detail::continue_with<shared_future, remote>(this->core_, &on, std::forward<F>(f));
  }

  /// As future::on_done(); `cb` gets a `shared_future<T>&`, or nothing.
  template <class Callback>
  void on_done(Callback&& cb) const {
    this->template add_callback<shared_future>(std::forward<Callback>(cb));
  }

 private:
  friend detail::future_base<T>;
  friend class future<T>;
  friend struct detail::access;
  explicit shared_future(detail::core_ptr<detail::result<T>> core) noexcept : base(std::move(core)) {}
};

/// The writing end of a future that no pool runs: exactly one outcome is stored, by hand.
///
/// Move-only. Destroyed without an outcome, it stores std::future_error(broken_promise). The setters may race with
/// each other: the first wins, the others throw invalid_state_error and change nothing.
template <class T>
class promise {
 public:
  /// With a state, pending. One allocation.
  promise() : core_(new detail::promised<T>) {}
  promise(promise&& other) noexcept = default;
  /// Breaks the promise that was here, if it has no outcome.
  promise& operator=(promise&& other) noexcept {
    promise(std::move(other)).swap(*this);
    return *this;
  }
  promise(const promise&) = delete;
  promise& operator=(const promise&) = delete;
  ~promise() {
    if (core_ && core_->try_settle()) {
      core_->complete_error(std::make_exception_ptr(std::future_error(std::future_errc::broken_promise)));
    }
  }

  /// The future of this promise. Once; a second call throws invalid_state_error.
  [[nodiscard]] future<T> get_future() {
    if (!core_) detail::throw_no_state("get_future");
    if (std::exchange(future_taken_, true))
      throw invalid_state_error("tandem: promise::get_future() was called twice");
    return future<T>(detail::core_ptr<detail::result<T>>(core_));
  }

  /// Marks the future as running, so that cancel() cannot succeed any more. False if it is cancelled already: then
  /// there is nothing to do. Throws invalid_state_error if it runs or is finished.
  bool set_running() {
    if (!core_) detail::throw_no_state("set_running");
    if (core_->try_start()) return true;
    if (core_->state() == future_state::cancelled) return false;
    throw invalid_state_error(
        "tandem: promise::set_running() on a promise that is running or has an outcome");
  }

  /// Stores the value (constructed from `args`; nothing for void) and wakes whoever waits. Throws
  /// invalid_state_error if there is an outcome, also a cancel; what the value's constructor throws passes through
  /// and becomes the outcome.
  template <class... Args>
    requires(std::is_void_v<T> ? sizeof...(Args) == 0 : std::is_constructible_v<T, Args...>)
  void set_value(Args&&... args) {
    const auto core = settle();
    try {
      core->emplace(std::forward<Args>(args)...);
    } catch (...) {
      core->complete_error(std::current_exception());
      throw;
    }
    core->complete_value();
  }

  /// As set_value(value), for a braced or implicitly converted value.
  void set_value(detail::settable<T> value) requires(std::is_object_v<T>&& std::is_move_constructible_v<T>) {
    this->template set_value<T>(std::move(value));
  }

  /// Stores an exception. Throws invalid_state_error if there is an outcome.
  void set_exception(std::exception_ptr error) {
    const auto core = settle();
    core->complete_error(std::move(error));
  }

  /// Exchanges the states.
  void swap(promise& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(future_taken_, other.future_taken_);
  }

 private:
  // A reference of its own for the setter: whoever waits may destroy this promise as soon as the outcome is there.
  [[nodiscard]] detail::core_ptr<detail::promised<T>> settle() {
    if (!core_) detail::throw_no_state("set");
    if (core_->try_settle()) return core_;
    throw invalid_state_error(core_->state() == future_state::cancelled
                                  ? "tandem: the future of this promise was cancelled; nothing can be stored"
                                  : "tandem: this promise has its outcome already; the first one is kept");
  }

  detail::core_ptr<detail::promised<T>> core_;
  bool future_taken_ = false;
};

}  // namespace tandem

#endif
