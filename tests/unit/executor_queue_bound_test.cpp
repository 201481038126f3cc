// The slow path of a submit on a bounded pool, with a queue that changes between two looks of it: the moments that races
// would have to meet.
#include "executor/queue_bound.hpp"

#include <tandem/detail/task.hpp>
#include <tandem/error.hpp>

#include <functional>
#include <utility>

#include <gtest/gtest.h>

namespace tandem::detail {
namespace {

// Calls back when it is looked at.
class scripted_queue final : public bounded_queue {
 public:
  bool try_enter() noexcept override {
    const bool had_room = has_room;
    if (!had_room && when_full) std::exchange(when_full, {})();
    return had_room;
  }
  void enter_anyway() noexcept override {
    EXPECT_TRUE(is_worker_here) << "nobody has allowed that";
    ++entered_anyway;
  }
  void throw_if_closed() const override {
    if (closed) throw shutdown_error("closed");
  }
  bool is_own_worker() const noexcept override { return is_worker_here; }

  bool is_worker_here = false;
  int entered_anyway = 0;
  bool has_room = false;
  bool closed = false;
  std::function<void()> when_full;  // behind the look that has found it full
};

core_ptr<core> make_task(int& runs) {
  return core_ptr<core>(new_task<remote_mode::never>(1, [&runs] { ++runs; }));
}

TEST(QueueBound, RoomThatIsMadeBehindTheLookIsNotMissed) {
  queue_bound bound("pool", 1, when_full::block);
  scripted_queue queue;
  queue.when_full = [&] {
    queue.has_room = true;
    bound.wake();
  };
  int runs = 0;
  EXPECT_TRUE(bound.admit(*make_task(runs), admission::by_policy, queue));
}

TEST(QueueBound, EndThatComesBehindTheLookIsNotMissed) {
  queue_bound bound("pool", 1, when_full::block);
  scripted_queue queue;
  queue.when_full = [&] {
    queue.closed = true;
    bound.wake();
  };
  int runs = 0;
  EXPECT_THROW((void)bound.admit(*make_task(runs), admission::by_policy, queue), shutdown_error);
}

TEST(QueueBound, WorkerOfThePoolDoesNotWaitForItself) {
  queue_bound bound("pool", 1, when_full::block);
  scripted_queue queue;
  queue.is_worker_here = true;
  int runs = 0;
  EXPECT_TRUE(bound.admit(*make_task(runs), admission::by_policy, queue));
  EXPECT_EQ(queue.entered_anyway, 1);
}

TEST(QueueBound, RunsNothingInTheCallerOnceThePoolIsClosed) {
  queue_bound bound("pool", 1, when_full::run_in_caller);
  scripted_queue queue;
  int runs = 0;
  const core_ptr<core> first = make_task(runs);
  EXPECT_FALSE(bound.admit(*first, admission::by_policy, queue));
  bound.run_here(*first, queue);
  EXPECT_EQ(runs, 1);
  const core_ptr<core> second = make_task(runs);
  EXPECT_FALSE(bound.admit(*second, admission::by_policy, queue));
  queue.closed = true;
  bound.await_callers();  // as shutdown() does: nobody is there yet
  EXPECT_THROW(bound.run_here(*second, queue), shutdown_error);
  EXPECT_EQ(runs, 1);
  bound.await_callers();
}

}  // namespace
}  // namespace tandem::detail
