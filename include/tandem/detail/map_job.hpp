// map() in this process: one descriptor on the caller's stack, from which runner tasks take chunks by one counter
// until it is used up. The caller returns only when no runner touches the descriptor any more.
#ifndef TANDEM_DETAIL_MAP_JOB_HPP
#define TANDEM_DETAIL_MAP_JOB_HPP

#include <tandem/detail/chunking.hpp>
#include <tandem/detail/task.hpp>
#include <tandem/detail/task_sink.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <limits>
#include <mutex>
#include <vector>

namespace tandem::detail {

/// Runs one function as several tasks of `sink` at once, until the first comes back: then those that have not started
/// are cancelled and the others awaited.
class TANDEM_API map_runners {
 public:
  explicit map_runners(task_sink& sink) noexcept : sink_(sink) {}

  template <class Runner>
  void start(Runner& runner) {
    auto* raw = new_task<remote_mode::never>(2, [&runner]() noexcept { runner.run(); });
    core_ptr<core> mine(raw);
    core_ptr<core> theirs(raw);
    tasks_.reserve(tasks_.size() + 1);
    sink_.enqueue_chunk(std::move(theirs));
    tasks_.push_back(std::move(mine));
  }
  /// Waits for the first runner to come back, then cancels or waits for the others. Not to be left out, also after
  /// an exception.
  void join() noexcept;
  /// Throws what kept every runner from running.
  void rethrow_if_none_ran() const;

 private:
  task_sink& sink_;
  std::vector<core_ptr<core>> tasks_;
};

template <class Inputs, class F, class Slab>
class map_job {
 public:
  map_job(const Inputs& inputs, F& f, Slab& slab, int chunk_size, int workers)
      : inputs_(inputs), f_(f), slab_(slab), chunk_size_(chunk_size), workers_(workers) {}

  /// One runner: takes chunks until there are none.
  void run() noexcept {
    chunk_sizer sizer(chunk_size_, chunk_target, workers_);
    const std::size_t size = inputs_.size();
    auto then = std::chrono::steady_clock::now();
    for (;;) {
      const std::size_t seen = next_.load(std::memory_order_relaxed);
      if (seen >= limit()) return;
      const std::size_t chunk = sizer.next(size - seen);
      const std::size_t begin = next_.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= size) return;
      const std::size_t end = std::min(size, begin + chunk);
      run_items(begin, end);
      const auto now = std::chrono::steady_clock::now();
      sizer.measured(end - begin, now - then);
      then = now;
    }
  }

  /// No further chunk is taken.
  void stop() noexcept { next_.store(inputs_.size(), std::memory_order_relaxed); }

  /// After join(): throws the exception of the first item, in input order, that failed.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  static constexpr std::chrono::microseconds chunk_target{50};

  // Items behind a failed one are not started; those before it still run, so the error is that of a serial loop.
  [[nodiscard]] std::size_t limit() const noexcept {
    return std::min(inputs_.size(), failed_.load(std::memory_order_relaxed));
  }

  void run_items(std::size_t begin, std::size_t end) noexcept {
    for (std::size_t i = begin; i < end; ++i) {
      if (i > failed_.load(std::memory_order_relaxed)) return;
      try {
        slab_.put(i, [&]() -> decltype(auto) {
          return inputs_.apply(
              [&](auto&&... in) -> decltype(auto) {
                return std::invoke(f_, static_cast<decltype(in)>(in)...);
              },
              i);
        });
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (i < failed_.load(std::memory_order_relaxed)) {
          error_ = std::current_exception();
          failed_.store(i, std::memory_order_relaxed);
        }
        return;
      }
    }
  }

  const Inputs& inputs_;
  F& f_;
  Slab& slab_;
  const int chunk_size_;
  const int workers_;
  alignas(64) std::atomic<std::size_t> next_{0};
  // Index of the first failed item. Relaxed: it only shortens the loops; error_ is read after join().
  alignas(64) std::atomic<std::size_t> failed_{std::numeric_limits<std::size_t>::max()};
  std::mutex error_mutex_;  // guards error_ and the decision to replace it
  std::exception_ptr error_;
};

/// map() for backends of this process. `workers` runners at the most, fewer if there are fewer items.
template <class Inputs, class F, class Slab>
void map_in_process(task_sink& sink, const Inputs& inputs, F& f, Slab& slab, int chunk_size) {
  const std::size_t per_runner = static_cast<std::size_t>(std::max(1, chunk_size));
  const std::size_t useful = (inputs.size() + per_runner - 1) / per_runner;
  const int workers = static_cast<int>(
      std::min<std::size_t>(useful, static_cast<std::size_t>(std::max(1, sink.max_workers()))));
  map_job<Inputs, F, Slab> job(inputs, f, slab, chunk_size, workers);
  map_runners runners(sink);
  try {
    for (int i = 0; i < workers; ++i) runners.start(job);
  } catch (...) {
    job.stop();
    runners.join();
    throw;
  }
  runners.join();
  runners.rethrow_if_none_ran();
  job.rethrow();
}

}  // namespace tandem::detail

#endif
