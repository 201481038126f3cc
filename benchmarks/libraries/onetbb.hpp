// oneTBB: as a pool whose tasks are enqueued, and as an arena in which the caller takes part (fork-join).
#ifndef TANDEM_BENCH_LIBRARIES_ONETBB_HPP
#define TANDEM_BENCH_LIBRARIES_ONETBB_HPP

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <future>
#include <latch>
#include <memory>
#include <type_traits>
#include <utility>

namespace libraries {

class onetbb_pool {
 public:
  /// One slot is kept for the caller, so that there are as many workers as asked for. The control is needed where there
  /// are not more CPUs than workers, for oneTBB would make one thread less than CPUs.
  explicit onetbb_pool(int workers)
      : threads_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(workers) + 1),
        arena_(workers + 1, 1) {}

  template <class F>
  auto submit(F&& f) {
    task<std::decay_t<F>> made(std::forward<F>(f));
    auto future = made.promise.get_future();
    arena_.enqueue(std::move(made));
    return future;
  }
  [[nodiscard]] tbb::task_arena& get() { return arena_; }

 private:
  template <class F>
  struct task {  // enqueue() calls it as const
    using result = std::invoke_result_t<F&>;
    explicit task(F&& from) : f(std::move(from)) {}
    explicit task(const F& from) : f(from) {}
    mutable std::promise<result> promise;
    mutable F f;
    void operator()() const {
      try {
        if constexpr (std::is_void_v<result>) {
          f();
          promise.set_value();
        } else {
          promise.set_value(f());
        }
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    }
  };

  tbb::global_control threads_;
  tbb::task_arena arena_;
};

class onetbb_arena {
 public:
  /// The caller is one of the workers. All others have run a task when this returns.
  explicit onetbb_arena(int workers)
      : threads_(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(workers)),
        arena_(workers) {
    const auto all_are_there = std::make_shared<std::latch>(workers);
    for (int i = 1; i < workers; ++i) arena_.enqueue([all_are_there] { all_are_there->arrive_and_wait(); });
    all_are_there->arrive_and_wait();
  }
  template <class F>
  auto run(F&& f) {
    return arena_.execute(std::forward<F>(f));
  }

 private:
  tbb::global_control threads_;
  tbb::task_arena arena_;
};

}  // namespace libraries

#endif
