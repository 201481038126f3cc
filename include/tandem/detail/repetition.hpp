// A task that is run again and again: submit_every().
#ifndef TANDEM_DETAIL_REPETITION_HPP
#define TANDEM_DETAIL_REPETITION_HPP

#include <tandem/detail/result.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/detail/task_sink.hpp>
#include <tandem/task_options.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <mutex>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tandem::detail {

/// A task that is submitted again and again, and the state of the future that stands for all of its runs: pending until
/// that ends. README.md of src/timer tells its story.
class TANDEM_API repetition : public result<void>, private callback {
 public:
  /// Sets the first alarm. Throws as enqueue_at().
  void begin();

  void execute() noexcept override {}
  void drop_payload() noexcept override;

 protected:
  /// With one reference, the future's. `call` is whatever new_run() needs.
  repetition(task_sink& sink, std::chrono::nanoseconds period, task_options options,
             std::shared_ptr<void> call)
      : result<void>(1),
        callback(kind::call),
        sink_(sink),
        period_(period),
        options_(std::move(options)),
        call_(std::move(call)) {
    set_reports_to(sink.owner());
  }

  /// A task for one run, with one reference.
  [[nodiscard]] virtual core_ptr<core> new_run(std::shared_ptr<void> call) = 0;
  [[nodiscard]] const task_sink& sink() const noexcept { return sink_; }

 private:
  class tick;

  void ring() noexcept;
  void wait_for_next() noexcept;
  void set_alarm(time_point when);
  void refuse();
  void end(std::exception_ptr error) noexcept;
  // callback: a run is done
  void fire(core& run) noexcept override;
  void drop() noexcept override { release(); }

  task_sink& sink_;
  const std::chrono::nanoseconds period_;
  const task_options options_;  // of each run
  time_point next_{};           // written by whoever has the turn: the starter, then the end of each run

  std::mutex mutex_;  // guards what follows
  bool ended_ = false;
  std::shared_ptr<void> call_;  // until it has ended
  core_ptr<core> run_;          // while it runs
  time_point alarm_when_{};     // the alarm for the next run; while one runs, one that never rings
  std::uint64_t alarm_number_ = 0;
};

/// The typed part: how a run is made of the function and its arguments.
template <remote_mode Mode, class F, class... Args>
class repeated_call final : public repetition {
  using parts = std::tuple<F, Args...>;

 public:
  template <class Function, class... Arguments>
  repeated_call(task_sink& sink, std::chrono::nanoseconds period, task_options options, Function&& f,
                Arguments&&... args)
      : repetition(sink, period, std::move(options),
                   std::make_shared<parts>(std::forward<Function>(f), std::forward<Arguments>(args)...)) {}

 private:
  // In this process: one function object for all runs, which never overlap.
  struct shared_run {
    std::shared_ptr<parts> call;
    void operator()() {
      std::apply([](F& f, Args&... args) { static_cast<void>(call_in_task(f, args...)); }, *call);
    }
  };

  core_ptr<core> new_run(std::shared_ptr<void> call) override {
    auto mine = std::static_pointer_cast<parts>(std::move(call));
    // What cannot be copied cannot be sent either: the pool says so.
    if constexpr (Mode != remote_mode::never && task_callable<F, Args...> && std::copy_constructible<parts>) {
      if (!sink().in_process()) return new_copy(*mine);
    }
    return core_ptr<core>(new_task<remote_mode::never>(1, shared_run{std::move(mine)}));
  }

  static core_ptr<core> new_copy(const parts& call) {
    return std::apply(
        [](const F& f, const Args&... args) { return core_ptr<core>(new_task<Mode>(1, f, args...)); }, call);
  }
};

[[noreturn]] TANDEM_API void throw_bad_period(std::chrono::nanoseconds period);

}  // namespace tandem::detail

#endif
