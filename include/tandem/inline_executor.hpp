// inline_executor: runs every task in the caller, inside submit(). For debugging, and for measuring what the other
// backends gain.
#ifndef TANDEM_INLINE_EXECUTOR_HPP
#define TANDEM_INLINE_EXECUTOR_HPP

#include <tandem/executor.hpp>

#include <atomic>
#include <cstdint>

namespace tandem {

/// Runs every task in the thread that submits it, before submit() returns; futures are done at once.
///
/// Thread-safe: callers run their own tasks side by side. Nothing waits, so shutdown() has only to refuse further tasks,
/// and to wait for those that run in other threads; in an own task, with `wait`, it throws invalid_state_error.
class TANDEM_API inline_executor final
    : public executor,
      public detail::submit_front<inline_executor, detail::remote_mode::never> {
  using front = detail::submit_front<inline_executor, detail::remote_mode::never>;

 public:
  inline_executor() = default;
  ~inline_executor() override;

  using front::imap;
  using front::imap_unordered;
  using front::map;
  using front::post;
  using front::starmap;
  using front::submit;
  using front::submit_after;
  using front::submit_at;
  using front::submit_each;
  using front::submit_every;
  /// For future::then(): how a function gets to where this executor runs.
  template <class F, class Handle>
  using then_remote = typename front::template then_remote<F, Handle>;

  /// 1: the caller.
  [[nodiscard]] int max_workers() const noexcept override { return 1; }
  void shutdown(shutdown_options options = {}) override;
  [[nodiscard]] executor_stats stats() const override;
  /// For submit() and post(): takes a task.
  void enqueue(detail::core_ptr<detail::core> task) override;
  /// For submit_after() and its like: false from the beginning of shutdown() on.
  [[nodiscard]] bool is_open() const noexcept override;

 private:
  void leave() noexcept;

  // Futex word: from the lowest bit: 1 when it is closed, how many calls are running, and in which process (a fork starts
  // anew).
  std::atomic<std::uint32_t> calls_{0};
  std::atomic<std::int64_t> finished_{0};
  std::atomic<std::int64_t> failed_{0};
  std::atomic<std::int64_t> cancelled_{0};
};

}  // namespace tandem

#endif
