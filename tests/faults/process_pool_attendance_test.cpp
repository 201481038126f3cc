// A thread that waits for a task which is alone in its ring fetches the answer itself (src/process_pool/attendance.cpp). Whatever
// happens meanwhile to task, worker, pool or waiter, it ends as if the manager had done it.
#include "faults/tasks.hpp"
#include "support/asleep.hpp"
#include "support/processes.hpp"

#include <tandem/codec.hpp>
#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>
#include <tandem/thread_pool.hpp>
#include <tandem/wait.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

// A result whose decoding, in the test, lasts until the test lets it go on.
struct slowly_read {
  int number = 0;
};
std::atomic<bool> is_being_read{false};
std::atomic<bool> may_be_read{false};

slowly_read make_slowly_read(const std::string& path, int number) {
  tandem::test::pass(path);
  return {number};
}

}  // namespace

template <>
struct tandem::codec<slowly_read> {
  static void encode(writer& out, const slowly_read& value) { out.write_value(value.number); }
  static slowly_read decode(reader& in) {
    is_being_read = true;
    is_being_read.notify_all();
    may_be_read.wait(false);
    return {in.read_value<int>()};
  }
};

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::test::add_one;
using tandem::test::echo;
using tandem::test::fifo;
using tandem::test::pass;

int throw_out_of_range(const std::string& path) {
  pass(path);
  throw std::out_of_range("thrown in the worker");
}

std::string pass_then_echo(const std::string& path, std::string text) {
  pass(path);
  return text;
}

int pass_unless_tried_before(const std::string& path) {
  if (tandem::this_task::attempt() == 1) pass(path);
  return tandem::this_task::attempt();
}

int manager_thread_but(int other) {
  for (const auto& [id, name] : tandem::test::threads())
    if (name == "tandem-manager" && id != other) return id;
  throw std::logic_error("there is no manager thread");
}

int manager_thread() { return manager_thread_but(0); }

// How often it went to sleep, since it was started.
std::string sleeps_of(int thread) {
  const std::string status = tandem::test::slurp("/proc/self/task/" + std::to_string(thread) + "/status");
  const auto at = status.find("\nvoluntary_ctxt_switches:");
  return status.substr(at, status.find('\n', at + 1) - at);
}

// A thread that waits, and what it got. It has begun to wait, and sleeps, when this is made.
class waiter {
 public:
  explicit waiter(std::function<void()> wait)
      : thread_([this, wait = std::move(wait)] {
          id_ = tandem::test::this_thread();
          id_.notify_all();
          wait();
        }) {
    id_.wait(0);
    tandem::test::wait_until_asleep(id_);
  }
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;
  ~waiter() { thread_.join(); }

  [[nodiscard]] std::thread::id id() const { return thread_.get_id(); }

 private:
  std::atomic<int> id_{0};
  std::thread thread_;
};

// A pool of one worker that serves and is known to; a task may wait behind a short one.
class ProcessPoolAttendance : public testing::Test {
 protected:
  ProcessPoolAttendance() { earn_trust(pool_); }

  static void earn_trust(process_pool& pool) {
    for (int i = 0; i < 200; ++i) EXPECT_EQ(pool.submit(add_one, i).get(), i + 1);
  }

  void await_begin() {
    while (pool_.stats().running == 0) sched_yield();
  }

  const fifo gate_;
  process_pool pool_{{.max_workers = 1, .kill_on_cancel = true}};
};

TEST_F(ProcessPoolAttendance, LeavesTheManagerAsleep) {
  const int manager = manager_thread();
  for (int i = 0; i < 3; ++i) {
    auto task = pool_.submit(pass, gate_.path());
    await_begin();
    tandem::test::wait_until_asleep(manager);
    std::string before;
    {
      const waiter here([&] { EXPECT_GT(task.get(), 0); });
      before = sleeps_of(manager);
      gate_.release();
    }
    EXPECT_EQ(sleeps_of(manager), before);
  }
  EXPECT_EQ(pool_.stats().finished, 203);
}

TEST_F(ProcessPoolAttendance, BringsWhatTheTaskThrew) {
  auto task = pool_.submit(throw_out_of_range, gate_.path());
  const waiter here([&] { EXPECT_THROW(task.get(), std::out_of_range); });
  gate_.release();
}

TEST_F(ProcessPoolAttendance, FetchesLargeAnswersToo) {
  for (const std::size_t size : {100U, 10'000U, 1'000'000U}) {
    const std::string text(size, 'x');
    auto task = pool_.submit(pass_then_echo, gate_.path(), text);
    const waiter here([&] { EXPECT_EQ(task.get(), text); });
    gate_.release();
  }
}

TEST_F(ProcessPoolAttendance, IsToldWhenTheWorkerDies) {
  const int pid = pool_.submit(tandem::test::worker_pid).get();
  auto task = pool_.submit(pass, gate_.path());
  await_begin();
  const waiter here([&] { EXPECT_THROW(task.get(), tandem::worker_died_error); });
  kill(pid, SIGKILL);
}

// The ring stays as it is as long as somebody reads in it.
TEST_F(ProcessPoolAttendance, WorkerThatDiesWhileItsAnswerIsReadIsBuriedBehindThat) {
  const int pid = pool_.submit(tandem::test::worker_pid).get();
  const int manager = manager_thread();
  const auto before_all = pool_.stats().bytes_received;
  may_be_read = true;
  auto undisturbed = pool_.submit(make_slowly_read, gate_.path(), 7);
  gate_.release();
  EXPECT_EQ(undisturbed.get().number, 7);
  const auto size = pool_.stats().bytes_received - before_all;
  may_be_read = false;
  is_being_read = false;
  auto task = pool_.submit(make_slowly_read, gate_.path(), 7);
  await_begin();
  tandem::test::wait_until_asleep(manager);
  {
    const waiter here([&] { EXPECT_EQ(task.get().number, 7); });
    gate_.release();
    is_being_read.wait(false);
    const std::string before = sleeps_of(manager);
    kill(pid, SIGKILL);
    while (sleeps_of(manager) == before) sched_yield();  // it has heard of it
    tandem::test::wait_until_asleep(manager);
    may_be_read = true;
    may_be_read.notify_all();
  }
  EXPECT_EQ(pool_.stats().bytes_received - before_all, 2 * size) << "the answer was read twice";
  EXPECT_EQ(pool_.submit(add_one, 1).get(), 2);
  EXPECT_EQ(pool_.stats().restarts, 1);
  EXPECT_EQ(pool_.stats().failed, 0);
}

TEST_F(ProcessPoolAttendance, WaitsOnForTheNextAttempt) {
  const int pid = pool_.submit(tandem::test::worker_pid).get();
  auto task = pool_.submit({.retries = 1}, pass_unless_tried_before, gate_.path());
  await_begin();
  const waiter here([&] { EXPECT_EQ(task.get(), 2); });
  kill(pid, SIGKILL);
}

TEST_F(ProcessPoolAttendance, IsToldOfACancelThatKillsTheWorker) {
  auto task = pool_.submit(pass, gate_.path()).share();
  await_begin();
  const waiter here([task] { EXPECT_THROW(static_cast<void>(task.get()), tandem::cancelled_error); });
  EXPECT_TRUE(task.cancel());
}

// The worker is stopped before it takes the task, so it is not the worker who tells.
TEST_F(ProcessPoolAttendance, IsToldOfACancelBeforeTheWorkerBegins) {
  const int pid = pool_.submit(tandem::test::worker_pid).get();
  tandem::test::wait_until_process_asleep(pid);
  kill(pid, SIGSTOP);
  auto task = pool_.submit(add_one, 1).share();
  {
    const waiter here([task] { EXPECT_THROW(static_cast<void>(task.get()), tandem::cancelled_error); });
    EXPECT_TRUE(task.cancel());
  }
  kill(pid, SIGCONT);
  EXPECT_EQ(pool_.submit(tandem::test::worker_pid).get(), pid);
}

TEST_F(ProcessPoolAttendance, IsToldWhenTheTasksTimeIsOver) {
  auto task = pool_.submit({.timeout = 50ms}, pass, gate_.path());
  EXPECT_THROW(task.get(), tandem::timeout_error);
}

TEST_F(ProcessPoolAttendance, OutlivesAShutdownThatWaitsForIt) {
  auto task = pool_.submit(pass, gate_.path()).share();
  await_begin();
  const waiter here([task] { EXPECT_GT(task.get(), 0); });
  pool_.shutdown({.wait = false, .cancel_pending = true});
  gate_.release();
  pool_.shutdown();
  EXPECT_TRUE(task.is_ready());
}

TEST_F(ProcessPoolAttendance, ServesAllWhoWait) {
  auto task = pool_.submit(pass, gate_.path()).share();
  const waiter first([task] { EXPECT_GT(task.get(), 0); });
  const waiter second([task] { EXPECT_GT(task.get(), 0); });
  const waiter with_a_limit([task] { EXPECT_TRUE(task.wait_for(1h)); });
  gate_.release();
}

TEST_F(ProcessPoolAttendance, LeavesTheTaskToTheManagerWhenItGivesUp) {
  auto task = pool_.submit(pass, gate_.path()).share();
  EXPECT_FALSE(task.wait_for(20ms));
  tandem::test::wait_until_asleep(manager_thread());
  std::promise<void> called;
  task.on_done([&](const auto&) { called.set_value(); });
  gate_.release();
  called.get_future().get();
  EXPECT_GT(task.get(), 0);
}

TEST_F(ProcessPoolAttendance, LeavesCallbacksToTheManager) {
  auto task = pool_.submit(pass, gate_.path()).share();
  std::promise<void> go_on;
  std::promise<std::thread::id> called_by;
  {
    const waiter here([&] {
      EXPECT_GT(task.get(), 0);
      go_on.set_value();  // the callback waits for what the waiter does next
    });
    task.on_done([&](const auto&) {
      go_on.get_future().get();
      called_by.set_value(std::this_thread::get_id());
    });
    tandem::test::wait_until_asleep(manager_thread());  // it has to be woken
    gate_.release();
    EXPECT_NE(called_by.get_future().get(), here.id());
  }
}

// What came to lie behind the task while its waiter slept is collected by the manager.
TEST_F(ProcessPoolAttendance, GivesTheRingBackWithWhatLiesBehind) {
  auto task = pool_.submit(pass, gate_.path());
  await_begin();
  std::array<tandem::future<int>, 3> behind;
  {
    const waiter here([&] { EXPECT_GT(task.get(), 0); });
    for (int i = 0; i < 3; ++i) behind[static_cast<std::size_t>(i)] = pool_.submit(add_one, i);
    gate_.release();
  }
  const auto all = tandem::wait(behind);  // on all at once, so that nobody attends
  EXPECT_EQ(all.done.size(), 3U);
}

// Nobody waits for the one that has a limit, so the manager has to.
TEST_F(ProcessPoolAttendance, GivesTheRingBackWithATimeLimitThatBegins) {
  const fifo never;
  auto task = pool_.submit(pass, gate_.path());
  await_begin();
  std::promise<std::exception_ptr> ended;
  {
    const waiter here([&] { EXPECT_GT(task.get(), 0); });
    pool_.submit({.timeout = 50ms}, pass, never.path()).share().on_done([&](const auto& limited) {
      ended.set_value(limited.exception());
    });
    tandem::test::wait_until_asleep(manager_thread());
    gate_.release();
  }
  EXPECT_THROW(std::rethrow_exception(ended.get_future().get()), tandem::timeout_error);
}

// Tasks of unknown length: none waits behind another, so the second is in the backlog until the first is fetched.
TEST_F(ProcessPoolAttendance, LetsTheBacklogGoOn) {
  process_pool pool({.max_workers = 1});
  EXPECT_GT(pool.submit(tandem::test::worker_pid).get(), 0);
  const std::array<fifo, 2> gates;  // lest one that is opened for a task let the next one through, too
  auto slow = pool.submit(pass, gates[0].path());
  for (std::size_t i = 0; i < 20; ++i) {
    auto next = pool.submit(pass, gates[(i + 1) % 2].path());
    {
      const waiter here([&] { EXPECT_GT(slow.get(), 0); });
      gates[i % 2].release();
    }
    while (pool.stats().running == 0) sched_yield();  // nobody waits for it
    slow = std::move(next);
  }
  gates[0].release();
  EXPECT_GT(slow.get(), 0);
}

// The manager sleeps without a limit when the worker becomes idle.
TEST_F(ProcessPoolAttendance, TellsTheManagerSinceWhenTheWorkerIsIdle) {
  const int first = manager_thread();
  process_pool pool({.max_workers = 1, .idle_timeout = 10ms});
  EXPECT_EQ(pool.submit(add_one, 1).get(), 2);
  auto task = pool.submit(pass, gate_.path());
  while (pool.stats().running == 0) sched_yield();
  tandem::test::wait_until_asleep(manager_thread_but(first));
  {
    const waiter here([&] { EXPECT_GT(task.get(), 0); });
    gate_.release();
  }
  while (pool.stats().workers != 0) sched_yield();
}

// The only thread of that pool blocks in it: a spare one must run what opens the gate.
TEST_F(ProcessPoolAttendance, BlocksAWorkerOfAnotherPoolAsEveryWaitDoes) {
  tandem::thread_pool threads({.max_workers = 1});
  auto task = pool_.submit(pass, gate_.path());
  await_begin();
  std::atomic<bool> waits{false};
  auto outer = threads.submit([&] {
    waits = true;
    return task.get();
  });
  while (!waits) sched_yield();
  auto opener = threads.submit([&] { gate_.release(); });
  EXPECT_GT(outer.get(), 0);
  opener.get();
}

TEST_F(ProcessPoolAttendance, CountsATaskBeforeItsFutureIsDone) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(pool_.submit(add_one, i).get(), i + 1);
    ASSERT_EQ(pool_.stats().finished, 201 + i);
  }
}

// Each submits and waits on its own: tasks come behind attended ones all the time.
TEST_F(ProcessPoolAttendance, HoldsUnderManyWhoWait) {
  std::array<std::thread, 4> users;
  process_pool two({.max_workers = 2});
  for (std::thread& user : users) {
    user = std::thread([&two] {
      for (int i = 0; i < 3000; ++i) {
        auto task = two.submit(add_one, i);
        if (i % 7 == 0) static_cast<void>(task.wait_for(std::chrono::microseconds(i % 50)));
        ASSERT_EQ(task.get(), i + 1);
      }
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(two.stats().finished, 12000);
}

}  // namespace
