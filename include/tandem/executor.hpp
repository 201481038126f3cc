// executor: the one interface over all backends. A virtual core that backends implement (enqueue, shutdown, ...) and
// a typed front that is the same for all (submit, map, ...). Code takes an executor& and leaves the choice to main.
#ifndef TANDEM_EXECUTOR_HPP
#define TANDEM_EXECUTOR_HPP

#include <tandem/detail/delayed.hpp>
#include <tandem/detail/each.hpp>
#include <tandem/detail/imap.hpp>
#include <tandem/detail/map.hpp>
#include <tandem/detail/remote_continuation.hpp>
#include <tandem/detail/repetition.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/detail/task_sink.hpp>
#include <tandem/future.hpp>
#include <tandem/task_options.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace tandem {

/// One worker, as stats() sees it.
struct worker_stats {
  /// Process id of the worker (its thread id for pools of this process).
  int pid = 0;
  /// Name of the task that it runs now, from task_options::name; empty if it has none or is idle.
  std::string task;
  /// Tasks that it has run to their end.
  std::int64_t tasks_done = 0;
};

/// A snapshot of an executor. Counts of different moments may differ by tasks that were on their way.
struct executor_stats {
  /// Workers alive.
  int workers = 0;
  /// How many of them run no task. One that runs what another one's task has forked (task_group, parallel_for()) is among them:
  /// it is counted with that task.
  int idle = 0;
  /// Tasks that wait.
  std::int64_t queued = 0;
  /// Tasks that run now.
  std::int64_t running = 0;
  /// Since the start: tasks that ended with a value or an exception.
  std::int64_t finished = 0;
  /// Since the start: those of `finished` that ended with an exception.
  std::int64_t failed = 0;
  /// Since the start: tasks that were cancelled before they ran; not those of submit_after(), submit_at() and
  /// submit_every() whose time had not come.
  std::int64_t cancelled = 0;
  /// Process pools only, since the start: workers that ended before the pool did, but for those that were too many
  /// (idle_timeout, resize()).
  std::int64_t restarts = 0;
  /// Process pools only, since the start: tries that followed a worker's death.
  std::int64_t retried = 0;
  /// Process pools only, since the start: bytes of callables and arguments that went to workers.
  std::int64_t bytes_sent = 0;
  /// Process pools only, since the start: bytes of results and exceptions that came back.
  std::int64_t bytes_received = 0;
  /// One row per worker alive.
  std::vector<worker_stats> per_worker;
};

/// Takes an exception that no future can receive: that of a callback (future::on_done), of a posted task, of a finalizer.
/// `where` says which of them, in a few words for a log. Called in the thread in which it was thrown, so perhaps by
/// several at once; what it throws itself is reported on stderr.
using error_handler = std::function<void(std::exception_ptr error, std::string_view where)>;

namespace detail {

template <class F, class... Args>
concept submittable = task_callable<std::decay_t<F>, std::decay_t<Args>...>;

template <remote_mode Mode, class F, class... Args>
concept repeatable = task_callable < std::decay_t<F>
&, std::decay_t<Args>&... >
       &&(Mode != remote_mode::required ||
          (task_callable<std::decay_t<F>, std::decay_t<Args>...> &&
           std::copy_constructible<std::decay_t<F>> && (std::copy_constructible<std::decay_t<Args>> && ...)));

template <class F>
concept not_options =
    !std::same_as<std::remove_cvref_t<F>, task_options> && !std::same_as<std::remove_cvref_t<F>, map_options>;

/// The typed front. `Self` is the executor class; `Mode` says whether what is submitted must, may or will not cross
/// a process boundary. A backend inherits a second copy of it only to be stricter at compile time.
template <class Self, remote_mode Mode>
class submit_front {
 public:
  /// Runs `f(args...)` on a worker; the future gets its result or exception. If `f` cannot be called so, it gets a
  /// std::stop_token in front: that of this_task::stop_token().
  ///
  /// Callable and arguments are copied or moved into the task (std::decay; std::ref for references, not for
  /// processes) and destroyed as soon as the call has returned. One allocation. Thread-safe. Blocks only on a full
  /// bounded queue.
  /// @throws shutdown_error after shutdown() began, broken_pool_error if the pool cannot run anything, queue_full_error
  /// if the queue is full and the pool rejects, or there is no room within task_options::submit_timeout
  template <class F, class... Args>
    requires not_options<F> && submittable<F, Args...>
  auto submit(F&& f, Args&&... args) {
    check_portable<F, Args...>();
    return submit_to<Mode>(self(), nullptr, std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// submit() with options: `pool.submit({.name = "page 7", .timeout = 2s}, fetch, url)`.
  /// @throws std::invalid_argument also if this backend cannot honour a field that is set
  template <class F, class... Args>
    requires submittable<F, Args...>
  auto submit(task_options options, F&& f, Args&&... args) {
    check_portable<F, Args...>();
    self().check(options);
    return submit_to<Mode>(self(), std::make_unique<task_options>(std::move(options)), std::forward<F>(f),
                           std::forward<Args>(args)...);
  }

  /// Runs `f(args...)` on a worker and keeps no result: there is no future, an exception goes to the pool's
  /// error_handler.
  template <class F, class... Args>
    requires not_options<F> && submittable<F, Args...>
  void post(F&& f, Args&&... args) {
    check_portable<F, Args...>();
    post_to<Mode>(self(), nullptr, std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// post() with options.
  template <class F, class... Args>
    requires submittable<F, Args...>
  void post(task_options options, F&& f, Args&&... args) {
    check_portable<F, Args...>();
    self().check(options);
    post_to<Mode>(self(), std::make_unique<task_options>(std::move(options)), std::forward<F>(f),
                  std::forward<Args>(args)...);
  }

  /// submit() of one task for each item of a range: `f(item)`. Returns their futures in the order of the items.
  ///
  /// Cheaper than submit() in a loop where the backend can take many tasks at a time: it wakes its workers once. If an
  /// item or the executor throws, that is thrown, and what has been submitted is cancelled. map() is for those who want
  /// values: it puts many items into one task.
  template <class F, class Range>
    requires not_options<F> && submittable<F, item_of<Range>>
  [[nodiscard]] auto submit_each(F&& f, Range&& range) {
    check_each_portable<F, Range>();
    return submit_each_to<Mode>(self(), nullptr, std::forward<F>(f), std::forward<Range>(range));
  }

  /// submit_each() with options, which are those of each task.
  template <class F, class Range>
    requires submittable<F, item_of<Range>>
  [[nodiscard]] auto submit_each(task_options options, F&& f, Range&& range) {
    check_each_portable<F, Range>();
    self().check(options);
    return submit_each_to<Mode>(self(), &options, std::forward<F>(f), std::forward<Range>(range));
  }

  /// submit(), but the task waits for its turn only when `delay` (any std::chrono::duration) has passed; zero or less:
  /// at once.
  ///
  /// Until then the future is pending, and cancel() leaves nothing behind. shutdown() cancels the task if its time has
  /// not come. It is not early; how late it is depends on the workers. One thread serves all such tasks of all executors
  /// (an inline_executor runs them on that thread, but in the caller what is due at once). A queue that is full does not
  /// hold it up: it is accepted beyond the bound. Thread-safe.
  /// @throws as submit(); std::system_error if there is no thread to be had
  template <class Rep, class Period, class F, class... Args>
    requires submittable<F, Args...>
  [[nodiscard]] auto submit_after(std::chrono::duration<Rep, Period> delay, F&& f, Args&&... args) {
    return submit_when(nullptr, time_limit(delay).deadline(), std::forward<F>(f),
                       std::forward<Args>(args)...);
  }

  /// submit_after() with options. A task_options::timeout counts from when the task runs.
  template <class Rep, class Period, class F, class... Args>
    requires submittable<F, Args...>
  [[nodiscard]] auto submit_after(task_options options, std::chrono::duration<Rep, Period> delay, F&& f,
                                  Args&&... args) {
    return submit_when(&options, time_limit(delay).deadline(), std::forward<F>(f),
                       std::forward<Args>(args)...);
  }

  /// As submit_after(), at a moment of any clock. Its distance is taken once: later steps of a clock that can be set are
  /// not followed.
  template <class Clock, class Duration, class F, class... Args>
    requires submittable<F, Args...>
  [[nodiscard]] auto submit_at(std::chrono::time_point<Clock, Duration> when, F&& f, Args&&... args) {
    return submit_when(nullptr, to_steady(when), std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// submit_at() with options.
  template <class Clock, class Duration, class F, class... Args>
    requires submittable<F, Args...>
  [[nodiscard]] auto submit_at(task_options options, std::chrono::time_point<Clock, Duration> when, F&& f,
                               Args&&... args) {
    return submit_when(&options, to_steady(when), std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// Runs `f(args...)` again and again: one `period` (any positive std::chrono::duration) from now, two periods from now
  /// and so on. Its results are thrown away.
  ///
  /// Does not drift: every run is submitted at a multiple of the period from the start. Never overlaps itself: while a
  /// run waits or lasts, those whose time comes are left out. In this process all runs call one function object with the
  /// same arguments, as lvalues; on a process_pool each run gets copies.
  ///
  /// The future stands for all runs: pending until the last. cancel() ends them at once and asks a run that is under way
  /// to stop; so do task_options::stop_token and shutdown(), which waits for that run. When `f` throws, that is the end
  /// and the future's outcome. Dropping the future changes nothing.
  /// @throws as submit_after(); std::invalid_argument if the period is not positive
  template <class Rep, class Period, class F, class... Args>
    requires repeatable<Mode, F, Args...>
  [[nodiscard]] future<void> submit_every(std::chrono::duration<Rep, Period> period, F&& f, Args&&... args) {
    return submit_every(task_options(), period, std::forward<F>(f), std::forward<Args>(args)...);
  }

  /// submit_every() with options, which are those of each run.
  template <class Rep, class Period, class F, class... Args>
    requires repeatable<Mode, F, Args...>
  [[nodiscard]] future<void> submit_every(task_options options, std::chrono::duration<Rep, Period> period,
                                          F&& f, Args&&... args) {
    check_portable<F, Args...>();
    self().check(options);
    const time_limit limit(period);
    if (!limit.has_value() || limit.value().count() == 0)
      throw_bad_period(limit.has_value() ? limit.value() : std::chrono::nanoseconds::max());
    std::stop_token token = std::exchange(options.stop_token, {});
    auto* raw = new repeated_call<Mode, std::decay_t<F>, std::decay_t<Args>...>(
        self(), limit.value(), std::move(options), std::forward<F>(f), std::forward<Args>(args)...);
    const core_ptr<repetition> all(raw);
    if (token.stop_possible()) link_stop(*raw, std::move(token));
    try {
      raw->begin();
    } catch (...) {
      raw->cancel_pending();  // takes the stop link along
      throw;
    }
    return access::make_future<void>(core_ptr<result<void>>(all));
  }

  /// For future::then(executor, f): how `f` gets to where this executor runs.
  template <class F, class Handle>
  using then_remote = remote_continuation<Mode, F, Handle>;

  /// Calls `f` with each item of the ranges (zipped; the shortest ends) on the workers and returns the results in
  /// the order of the inputs: std::vector<R>, or nothing if `f` returns void.
  ///
  /// Eager: blocks until all is done. If a call throws, items that have not started are cancelled, those that run
  /// are awaited, and the exception of the first failed item (in input order) is thrown. Items are not one task
  /// each: they go in chunks. On a worker of this executor it takes part in the work and cannot deadlock. In this
  /// process `f` is one object that several workers call at once, and they read the ranges themselves.
  template <class F, class... Ranges>
    requires not_options<F> && map_callable<F, Ranges...>
  auto map(F&& f, Ranges&&... ranges) { return map({}, std::forward<F>(f), std::forward<Ranges>(ranges)...); }

  /// map() with options: `pool.map({.chunk_size = 3}, f, xs, ys)`. After a timeout_error calls that run go on: what
  /// `f` refers to must outlive them (shutdown() waits for them).
  /// @throws timeout_error if not all is done within options.timeout; std::invalid_argument for negative fields
  template <class F, class... Ranges>
    requires map_callable<F, Ranges...>
  auto map(map_options options, F&& f, Ranges&&... ranges) {
    check_map_portable<F, Ranges...>();
    return map_on<Mode>(self(), options, std::forward<F>(f), std::forward<Ranges>(ranges)...);
  }

  /// map() over a range of tuples, each of which is one call's arguments.
  template <class F, class Range>
    requires not_options<F> && starmap_callable<F, Range>
  auto starmap(F&& f, Range&& range) { return starmap({}, std::forward<F>(f), std::forward<Range>(range)); }

  /// starmap() with options.
  template <class F, class Range>
    requires starmap_callable<F, Range>
  auto starmap(map_options options, F&& f, Range&& range) {
    check_starmap_portable<F, std::iter_value_t<iterator_of<Range>>>(
        std::make_index_sequence<std::tuple_size_v<std::iter_value_t<iterator_of<Range>>>>());
    return starmap_on<Mode>(self(), options, std::forward<F>(f), std::forward<Range>(range));
  }

  /// The lazy map: an input range of the results, in the order of the inputs.
  ///
  /// Takes inputs only map_options::window ahead of the reader, so infinite inputs work and memory stays flat. An
  /// lvalue range must live as long as the result. When a call throws, dereferencing its position throws; the
  /// iteration can go on behind it. Destroying the result, which must happen before the executor goes, cancels what
  /// has not started; calls that run go on, so what `f` refers to must outlive them. In this process `f` is one
  /// object that several workers call at once. `f` returning void gives elements of std::monostate. The result
  /// belongs to one thread.
  template <class F, class... Ranges>
    requires not_options<F> && map_callable<F, Ranges...>
  [[nodiscard]] auto imap(F&& f, Ranges&&... ranges) {
    return imap({}, std::forward<F>(f), std::forward<Ranges>(ranges)...);
  }

  /// imap() with options. map_options::timeout counts from this call; a dereference that would pass it throws
  /// timeout_error.
  template <class F, class... Ranges>
    requires map_callable<F, Ranges...>
  [[nodiscard]] auto imap(map_options options, F&& f, Ranges&&... ranges) {
    check_map_portable<F, Ranges...>();
    return imap_on<Mode>(self(), imap_order::input, options, std::forward<F>(f),
                         std::forward<Ranges>(ranges)...);
  }

  /// imap() that gives the results as they finish.
  template <class F, class... Ranges>
    requires not_options<F> && map_callable<F, Ranges...>
  [[nodiscard]] auto imap_unordered(F&& f, Ranges&&... ranges) {
    return imap_unordered({}, std::forward<F>(f), std::forward<Ranges>(ranges)...);
  }

  /// imap_unordered() with options.
  template <class F, class... Ranges>
    requires map_callable<F, Ranges...>
  [[nodiscard]] auto imap_unordered(map_options options, F&& f, Ranges&&... ranges) {
    check_map_portable<F, Ranges...>();
    return imap_on<Mode>(self(), imap_order::completion, options, std::forward<F>(f),
                         std::forward<Ranges>(ranges)...);
  }

 private:
  [[nodiscard]] Self& self() noexcept { return static_cast<Self&>(*this); }

  template <class F, class... Args>
  auto submit_when(task_options* options, std::optional<time_point> when, F&& f, Args&&... args) {
    check_portable<F, Args...>();
    std::unique_ptr<task_options> mine;
    if (options != nullptr) {
      self().check(*options);
      mine = std::make_unique<task_options>(std::move(*options));
    }
    auto* raw = new_task<Mode>(2, std::forward<F>(f), std::forward<Args>(args)...);
    core_ptr<result<call_result_t<std::decay_t<F>, std::decay_t<Args>...>>> state(raw);
    send(std::move(mine), core_ptr<core>(raw),
         [&](core_ptr<core> task) { enqueue_at(self(), when.value_or(time_point::max()), std::move(task)); });
    return access::make_future<call_result_t<std::decay_t<F>, std::decay_t<Args>...>>(std::move(state));
  }

  template <class F, class Range>
  static constexpr void check_each_portable() {
    if constexpr (Mode == remote_mode::required) remote_call<std::decay_t<F>, item_of<Range>>::require();
  }

  template <class F, class... Args>
  static constexpr void check_portable() {
    if constexpr (Mode == remote_mode::required)
      remote_call<std::decay_t<F>, std::decay_t<Args>...>::require();
  }
  template <class F, class... Ranges>
  static constexpr void check_map_portable() {
    if constexpr (Mode == remote_mode::required) {
      remote_call<std::decay_t<F>, std::iter_value_t<iterator_of<Ranges>>...>::require();
    }
  }
  template <class F, class Tuple, std::size_t... I>
  static constexpr void check_starmap_portable(std::index_sequence<I...>) {
    if constexpr (Mode == remote_mode::required) {
      remote_call<std::decay_t<F>, std::decay_t<std::tuple_element_t<I, Tuple>>...>::require();
    }
  }
};

}  // namespace detail

/// Runs tasks. The base of every backend: thread_pool, process_pool, tbb_pool, inline_executor.
///
/// All members may be called from any thread at any time, except that the destructor must be the last. Destroying an
/// executor is shutdown(): accepted tasks are run first. A task must not destroy its own executor.
class TANDEM_API executor : public detail::task_sink,
                            public detail::submit_front<executor, detail::remote_mode::if_portable> {
 public:
  ~executor() override;

  /// Accepts no more tasks (submit() throws shutdown_error from now on) and, with the default options, waits until
  /// every accepted task is resolved and the workers are gone. Delayed tasks whose time has not come and repeated ones
  /// are cancelled. May be called more than once, from any thread that the executor does not need to come to its end: on
  /// a worker (a task, a hook, a callback), in a task that runs in its submit(), or in a callback of what it cancels it
  /// throws invalid_state_error with `wait`, and changes nothing. docs/shutdown.md has all that happens to whom.
  virtual void shutdown(shutdown_options options = {}) = 0;

  /// What the executor is doing now. Does not block the workers.
  [[nodiscard]] virtual executor_stats stats() const = 0;

  /// For the front: throws std::invalid_argument if this backend cannot honour a field that is set.
  virtual void check(const task_options& options) const;

 protected:
  executor() = default;
};

}  // namespace tandem

#endif
