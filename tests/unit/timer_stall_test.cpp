// An alarm that is set just when the timer's thread goes to sleep, or has decided that it has waited long enough; both
// made certain. Whoever sets an alarm allocates under the table's mutex, and this program's operator new can hold a
// thread up; so can its futex_wait(), which the linker puts before the library's. So it is a program of its own.
#include "timer/timer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "posix/futex.hpp"
#include "support/asleep.hpp"
#include "support/processes.hpp"
#include "support/stop_place.hpp"

namespace {

using tandem::test::stop_here;
using tandem::test::stop_place;

// Neither is inlined: the compiler would take the pair of new and free() for a mistake.
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void* allocate(std::size_t size) noexcept {
  tandem::test::stop_if_told();
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }

namespace {

// Who sleeps next until a moment stops there; null: nobody does.
std::atomic<stop_place*> stop_before_sleep{nullptr};

}  // namespace

#define TANDEM_FUTEX_WAIT                                                                                 \
  "_ZN6tandem5posix10futex_waitERKSt6atomicIjEjNS0_5scopeENSt6chrono10time_pointINS6_3_V212steady_clockE" \
  "NS6_8durationIlSt5ratioILl1ELl1000000000EEEEEE"

namespace stall {

tandem::posix::wait_status library_futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                                              tandem::posix::scope who,
                                              tandem::posix::steady_time deadline) noexcept
    asm("__real_" TANDEM_FUTEX_WAIT);

// What the library's calls come to: see the linker's --wrap.
tandem::posix::wait_status futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                                      tandem::posix::scope who, tandem::posix::steady_time deadline) noexcept
    asm("__wrap_" TANDEM_FUTEX_WAIT);
tandem::posix::wait_status futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                                      tandem::posix::scope who,
                                      tandem::posix::steady_time deadline) noexcept {
  if (stop_place* place = stop_before_sleep.exchange(nullptr)) place->stop();
  return library_futex_wait(word, expected, who, deadline);
}

}  // namespace stall

namespace tandem {
namespace {

using clock = std::chrono::steady_clock;

class alarm final : public timer::alarm {
 public:
  explicit alarm(test::counter& rung) noexcept : rung_(rung) {}
  void ring() noexcept override { rung_.add(); }
  void drop() noexcept override {}

 private:
  test::counter& rung_;
};

int timer_thread() {
  for (const auto& [id, name] : test::threads()) {
    if (name.find("tandem-timer") != std::string::npos) return id;
  }
  return 0;
}

// How often the thread has gone to sleep.
long sleeps(int thread) {
  std::istringstream status(test::slurp("/proc/self/task/" + std::to_string(thread) + "/status"));
  const std::string field = "voluntary_ctxt_switches:";
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field, 0) == 0) return std::stol(line.substr(field.size()));
  }
  return -1;
}

TEST(TimerStall, ThreadThatIsAboutToSleepSeesTheAlarmThatWasSetMeanwhile) {
  test::counter rung;
  stop_place place;
  stop_before_sleep = &place;
  const timer::handle late =
      timer::set(clock::now() + std::chrono::hours(1), std::make_unique<alarm>(rung), nullptr);
  place.reached.wait();  // it has decided to sleep for as long as that
  (void)timer::set(clock::now(), std::make_unique<alarm>(rung), nullptr);
  place.leave.open();
  rung.wait_for(1);
  EXPECT_TRUE(timer::stop(late));
}

TEST(TimerStall, ThreadThatIsAboutToEndSeesTheAlarmThatWasSetMeanwhile) {
  test::counter rung;
  (void)timer::set(clock::now(), std::make_unique<alarm>(rung), nullptr);
  rung.wait_for(1);
  const int thread = timer_thread();
  ASSERT_NE(thread, 0);
  test::wait_until_asleep(thread);  // for as long as it stays when nothing waits
  const long before = sleeps(thread);

  stop_place place;
  std::thread setter([&] {
    auto another = std::make_unique<alarm>(rung);
    stop_here = &place;
    (void)timer::set(clock::now(), std::move(another), nullptr);
  });
  place.reached.wait();  // it has the mutex, and nothing is in the table yet
  while (sleeps(thread) == before || !test::is_asleep(thread)) std::this_thread::yield();
  // The thread's time is over, and it waits for the mutex, to end.
  place.leave.open();
  setter.join();
  rung.wait_for(2);
}

}  // namespace
}  // namespace tandem
