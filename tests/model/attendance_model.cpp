// Who waits for a process task and fetches the answer itself, beside the worker that answers, the manager that goes to sleep or buries
// that worker, and others who wait or cancel: nobody sleeps for ever, and the task ends once. The core and the doorbell
// are the library's; the bookkeeping beside them, a few lines under the pool's mutex, is that of process_pool/attendance.cpp
// and manager.cpp in short.
#include "model/atomic.hpp"
#include "model/expect_right.hpp"
#include "model/explorer.hpp"

#include <tandem/detail/branch.hpp>
#include <tandem/detail/context.hpp>
#include <tandem/detail/core.hpp>

#include "future/task_owner.hpp"
#include "posix/futex.hpp"
#include "process_pool/doorbell.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace tandem::detail {
thread_local constinit join* this_join = nullptr;
worker_context* current_worker() noexcept { return nullptr; }
const task_context* current_task() noexcept { return nullptr; }
std::shared_ptr<task_owner> find_task_owner(const void*) noexcept { return nullptr; }
}  // namespace tandem::detail

namespace tandem::model {
namespace {

using tandem::detail::core;
using tandem::detail::time_point;
using tandem::process::doorbell;
namespace word = tandem::detail::word;

class task final : public core {
 public:
  explicit task(int refs) : core(refs) {}
  void execute() noexcept override {}
  void drop_payload() noexcept override { ++dropped; }
  int dropped = 0;
};

class mutex {
 public:
  void lock() {
    while (taken_.exchange(1, std::memory_order_acquire) != 0) pause();
  }
  void unlock() { taken_.store(0, std::memory_order_release); }

 private:
  atomic<std::uint32_t> taken_{0};
};

using guard = std::lock_guard<mutex>;

constexpr std::uint32_t taken = 1;  // of the slot
constexpr std::uint32_t answered = 2;
constexpr std::uint32_t empty = 0;

// One worker's ring with one task in it, which the worker runs; and the pool around.
struct scene {
  task awaited{100};
  mutex pool;
  atomic<std::uint32_t> slot{taken};
  plain<int> answer;
  doorbell bell;
  atomic<std::uint32_t> pool_bell{0};  // in place of the eventfd
  // Guarded by `pool`.
  bool is_in_flight = true;
  bool is_dead = false;  // and buried
  bool parked = false;
  const void* attendant = nullptr;

  // --- the worker ---
  void work() {
    answer.write(42);
    slot.store(answered, std::memory_order_seq_cst);
    bell.ring([this] { raise_pool_bell(); });
  }

  // --- whoever waits ---
  void get(std::optional<time_point> deadline = std::nullopt) {
    attend(deadline);
    if (!awaited.wait(deadline)) return;
    check(awaited.done(), "awaited and not done");
  }

  void attend(std::optional<time_point> deadline) {
    const char me = 0;
    {
      const guard held(pool);
      if (!is_in_flight || is_dead || attendant != nullptr) return;
      attendant = &me;
      bell.now_sleeps(doorbell::sleeper::nobody);
    }
    if (fetch(&me)) return;
    while (bell.sleep(deadline)) {
      if (fetch(&me)) return;
    }
    bool wake = false;
    {
      const guard held(pool);
      if (attendant == &me) wake = end_attendance();
    }
    if (wake) raise_pool_bell();
  }

  bool fetch(const void* me) {
    bool mine = false;
    bool wake = false;
    {
      const guard held(pool);
      if (attendant != me) return true;
      if (bell.stays_silent([this] { return !is_in_flight || is_answered(); })) return false;
      if (is_in_flight) mine = take();
      wake = end_attendance();
    }
    if (wake) raise_pool_bell();
    if (mine) deliver();
    return true;
  }

  bool end_attendance() {
    attendant = nullptr;
    return bell.give_back(parked, [this] { return is_answered(); });
  }

  [[nodiscard]] bool is_answered() const { return slot.load(std::memory_order_seq_cst) == answered; }

  bool take() {
    check(answer.read() == 42, "the answer is not there");
    slot.store(empty, std::memory_order_seq_cst);
    return std::exchange(is_in_flight, false);
  }

  void deliver() {
    awaited.drop_payload();
    awaited.complete_value();
  }

  // --- the manager ---
  void manage() {
    while (!collect()) park();
  }

  // True if there is nothing left to collect: whoever has it completes the task.
  bool collect() {
    bool mine = false;
    {
      const guard held(pool);
      if (attendant == nullptr && is_answered()) mine = take();
      if (!mine && slot.load(std::memory_order_seq_cst) != empty) return false;
    }
    if (mine) deliver();
    return true;
  }

  void park() {
    {
      const guard held(pool);
      parked = true;
      if (attendant == nullptr) bell.now_sleeps(doorbell::sleeper::manager);
      const bool work = attendant == nullptr && is_answered();
      if (work) {
        unpark();
        return;
      }
    }
    while (pool_bell.load(std::memory_order_seq_cst) == 0)
      posix::futex_wait(pool_bell, 0, posix::scope::process_private);
    pool_bell.store(0, std::memory_order_seq_cst);
    const guard held(pool);
    unpark();
  }

  void unpark() {
    parked = false;
    if (attendant == nullptr) bell.now_sleeps(doorbell::sleeper::nobody);
  }

  /// The model's manager has to end; the pool's sleeps on.
  void tell_manager_if_fetched() {
    if (slot.load(std::memory_order_seq_cst) == empty) raise_pool_bell();
  }

  void raise_pool_bell() {
    pool_bell.store(1, std::memory_order_seq_cst);
    posix::futex_wake(pool_bell, 1, posix::scope::process_private);
  }

  // --- whoever ends the task otherwise: a cancel that dooms the worker ---
  void cancel() {
    bool mine = false;
    {
      const guard held(pool);
      mine = std::exchange(is_in_flight, false);
      if (mine && attendant != nullptr) bell.call_attendant();
    }
    if (!mine) return;
    awaited.drop_payload();
    awaited.complete_cancelled();
  }

  // --- the worker is dead, and has not answered ---
  void bury_unanswered() {
    bool mine = false;
    {
      const guard held(pool);
      is_dead = true;
      if (std::exchange(attendant, nullptr) != nullptr) bell.call_attendant();
      mine = std::exchange(is_in_flight, false);
    }
    if (!mine) return;
    awaited.drop_payload();
    (void)awaited.complete_error(nullptr);
  }

  void expect_end() {
    check(awaited.done(), "nobody has ended the task");
    check(awaited.dropped == 1, "ended twice");
  }
};

void begin(scene& s) { check(s.awaited.try_start(), "it runs"); }

TEST(AttendanceModel, AttendantAgainstTheWorkersAnswer) {
  expect_right(
      [] {
        scene s;
        begin(s);
        spawn([&] { s.work(); });
        spawn([&] { s.get(); });
        join_all();
        s.expect_end();
      },
      4, 30'000);
}

TEST(AttendanceModel, AttendantAgainstACancel) {
  expect_right(
      [] {
        scene s;
        begin(s);
        spawn([&] { s.work(); });
        spawn([&] { s.get(); });
        spawn([&] { s.cancel(); });
        join_all();
        s.expect_end();
      },
      2, 30'000);
}

TEST(AttendanceModel, AttendantOfAWorkerThatDies) {
  expect_right(
      [] {
        scene s;
        begin(s);
        spawn([&] { s.get(); });
        spawn([&] { s.bury_unanswered(); });
        join_all();
        s.expect_end();
      },
      3, 30'000);
}

// The second may come to a ring that is being given up already.
TEST(AttendanceModel, TwoWaitForATaskWhoseWorkerDies) {
  expect_right(
      [] {
        scene s;
        begin(s);
        spawn([&] { s.get(); });
        spawn([&] { s.get(); });
        spawn([&] { s.bury_unanswered(); });
        join_all();
        s.expect_end();
      },
      1, 30'000);
}

TEST(AttendanceModel, TwoWaitForOneTask) {
  expect_right(
      [] {
        scene s;
        begin(s);
        spawn([&] { s.work(); });
        spawn([&] { s.get(); });
        spawn([&] { s.get(); });
        join_all();
        s.expect_end();
      },
      1, 30'000);
}

// Whoever gives up leaves the ring to the manager, who may be asleep.
TEST(AttendanceModel, AttendantThatGivesUpBesideASleepingManager) {
  expect_right(
      [] {
        scene s;
        begin(s);
        spawn([&] { s.work(); });
        spawn([&] {
          s.get(std::chrono::steady_clock::now() + std::chrono::hours(1));
          s.tell_manager_if_fetched();
        });
        spawn([&] { s.manage(); });
        join_all();
        s.expect_end();
      },
      2, 30'000);
}

}  // namespace
}  // namespace tandem::model
