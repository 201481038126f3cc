#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <future>

#include "submit_get/contestants.hpp"

namespace submit_get {

double run_onetbb(std::size_t tasks, std::size_t window) {
  // Three slots, one of them kept for this thread: two workers. The control is needed where there are two CPUs, for
  // oneTBB would make one thread less than that.
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 3);
  tbb::task_arena arena(3, 1);
  return measure(tasks, window, [&] {
    struct task {  // enqueue() calls it as const
      mutable std::promise<void> promise;
      void operator()() const { promise.set_value(); }
    };
    task t;
    auto future = t.promise.get_future();
    arena.enqueue(std::move(t));
    return future;
  });
}

}  // namespace submit_get
