// When a worker's interruption comes, is noticed and is taken back, step by step: the moments that a race between a
// cancel and a task that runs another one in its place would have to meet. One thread plays both sides.
#include "thread_pool/interruption.hpp"

#include <tandem/detail/task.hpp>

#include <boost/thread/lock_guard.hpp>
#include <boost/thread/mutex.hpp>
#include <boost/thread/thread.hpp>

#include <functional>
#include <memory>

#include <gtest/gtest.h>

namespace tandem::detail {
namespace {

core_ptr<core> started_task() {
  core_ptr<core> task(new_task<remote_mode::never>(1, [] {}));
  EXPECT_TRUE(task->try_start());
  return task;
}

bool notices() {
  try {
    boost::this_thread::interruption_point();
    return false;
  } catch (const boost::thread_interrupted&) {
    return true;
  }
}

// Runs `steps` on a thread that can be interrupted; it has claimed `outer`, which is running. `inner` can be started.
class worker {
 public:
  void run(const std::function<void(worker&)>& steps) {
    boost::mutex starting;
    std::shared_ptr<boost::thread> thread;
    {
      const boost::lock_guard<boost::mutex> held(starting);
      thread = std::make_shared<boost::thread>([&] {
        { const boost::lock_guard<boost::mutex> behind(starting); }
        interruption_.claim(*outer);
        steps(*this);
        finish(*outer);
        EXPECT_FALSE(notices()) << "something is left to the next task";
      });
      interruption_.set_thread(thread);
    }
    thread->join();
    interruption_.set_thread(nullptr);
  }

  // The two steps of a cancel().
  static void ask(core& task) { EXPECT_FALSE(task.cancel()); }
  void interrupt(const core& task) { interruption_.interrupt(task); }

  [[nodiscard]] interruption::detour detour() { return {interruption_, *inner}; }
  // As the worker does behind a detour; true if it was told to interrupt the outer task.
  bool end(interruption::detour& detour, bool inner_ran = true) {
    if (inner_ran) finish(*inner);
    const core* due = detour.end(inner_ran);
    if (due == nullptr) return false;
    EXPECT_EQ(due, outer.get());
    interrupt(*due);
    return true;
  }

  const core_ptr<core> outer = started_task();
  const core_ptr<core> inner = started_task();

 private:
  void finish(core& task) {
    if (task.was_asked_to_stop()) {
      interruption_.task_left(task);
    } else if (&task == outer.get()) {
      interruption_.release();
    }
  }

  interruption interruption_;
};

void on_a_worker(const std::function<void(worker&)>& steps) { worker().run(steps); }

TEST(InterruptionMoments, RequestThatIsOnItsWayWhenADetourBeginsIsDueBehindIt) {
  on_a_worker([](worker& w) {
    worker::ask(*w.outer);
    auto detour = w.detour();
    w.interrupt(*w.outer);
    EXPECT_FALSE(notices()) << "the inner task was not asked";
    EXPECT_TRUE(w.end(detour));
    EXPECT_TRUE(notices());
  });
}

TEST(InterruptionMoments, InterruptionThatIsHereWhenADetourBeginsIsDueBehindIt) {
  on_a_worker([](worker& w) {
    worker::ask(*w.outer);
    w.interrupt(*w.outer);
    auto detour = w.detour();
    EXPECT_FALSE(notices()) << "the inner task was not asked";
    EXPECT_TRUE(w.end(detour));
    EXPECT_TRUE(notices());
  });
}

TEST(InterruptionMoments, InterruptionThatWasNoticedDoesNotComeAgain) {
  on_a_worker([](worker& w) {
    worker::ask(*w.outer);
    w.interrupt(*w.outer);
    EXPECT_TRUE(notices());
    for (int i = 0; i < 3; ++i) {
      auto detour = w.detour();
      EXPECT_FALSE(w.end(detour));
      EXPECT_FALSE(notices());
    }
  });
}

TEST(InterruptionMoments, RequestThatComesDuringADetourIsDueBehindIt) {
  on_a_worker([](worker& w) {
    auto detour = w.detour();
    worker::ask(*w.outer);
    w.interrupt(*w.outer);
    EXPECT_FALSE(notices()) << "the inner task was not asked";
    EXPECT_TRUE(w.end(detour));
    EXPECT_TRUE(notices());
  });
}

TEST(InterruptionMoments, RequestWhoseInterruptionComesBehindADetourIsNoticedOnce) {
  on_a_worker([](worker& w) {
    auto detour = w.detour();
    worker::ask(*w.outer);
    EXPECT_TRUE(w.end(detour));
    w.interrupt(*w.outer);
    EXPECT_TRUE(notices());
    EXPECT_FALSE(notices());
  });
}

TEST(InterruptionMoments, DetourWithoutARequestLeavesNothing) {
  on_a_worker([](worker& w) {
    auto detour = w.detour();
    EXPECT_FALSE(w.end(detour));
    EXPECT_FALSE(notices());
  });
}

TEST(InterruptionMoments, InterruptionOfTheInnerTaskIsNotLeftToTheOuterOne) {
  on_a_worker([](worker& w) {
    auto detour = w.detour();
    worker::ask(*w.inner);
    w.interrupt(*w.inner);
    EXPECT_FALSE(w.end(detour));
    EXPECT_FALSE(notices());
  });
}

// Another worker has started it meanwhile, and it is asked to stop there: this worker still seems to be the one.
TEST(InterruptionMoments, InterruptionOfATaskThatAnotherWorkerHasStartedIsNotLeftToTheOuterOne) {
  on_a_worker([](worker& w) {
    auto detour = w.detour();
    worker::ask(*w.inner);
    w.interrupt(*w.inner);
    EXPECT_FALSE(w.end(detour, false));
    EXPECT_FALSE(notices());
  });
}

TEST(InterruptionMoments, InterruptionOfTheInnerTaskDoesNotStandForTheOuterOnes) {
  on_a_worker([](worker& w) {
    worker::ask(*w.outer);
    auto detour = w.detour();
    worker::ask(*w.inner);
    w.interrupt(*w.inner);
    EXPECT_TRUE(notices());
    EXPECT_TRUE(w.end(detour));
    EXPECT_TRUE(notices());
  });
}

}  // namespace
}  // namespace tandem::detail
