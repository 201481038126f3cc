// A worker that begins to serve just when the manager goes to sleep, made certain. The manager looks at the clock when it has looked
// who serves, before it sleeps; this program's steady_clock::now(), which the linker puts before the library's, can hold it
// up there. So it is a program of its own.
#include "faults/tasks.hpp"
#include "support/asleep.hpp"
#include "support/processes.hpp"
#include "support/stop_place.hpp"

#include <tandem/error.hpp>
#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>

#include <pthread.h>
#include <sched.h>

namespace {

using namespace std::chrono_literals;
using tandem::process_pool;
using tandem::test::fifo;
using tandem::test::pass;
using tandem::test::stop_place;

// Where the manager stops when it looks at the clock the next time; null: it does not.
std::atomic<stop_place*> stop_manager_at_clock{nullptr};

bool is_manager() {
  std::array<char, 16> name{};
  return pthread_getname_np(pthread_self(), name.data(), name.size()) == 0 &&
         std::string(name.data()) == "tandem-manager";
}

}  // namespace

#define TANDEM_STEADY_NOW "_ZNSt6chrono3_V212steady_clock3nowEv"

namespace stall {

std::chrono::steady_clock::time_point real_now() noexcept asm("__real_" TANDEM_STEADY_NOW);

// What all calls come to: see the linker's --wrap.
std::chrono::steady_clock::time_point now() noexcept asm("__wrap_" TANDEM_STEADY_NOW);
std::chrono::steady_clock::time_point now() noexcept {
  if (stop_manager_at_clock.load() != nullptr && is_manager()) {
    if (stop_place* place = stop_manager_at_clock.exchange(nullptr)) place->stop();
  }
  return real_now();
}

}  // namespace stall

namespace {

constexpr char entered_variable[] = "TANDEM_TEST_ENTERED";
constexpr char left_variable[] = "TANDEM_TEST_LEFT";

void pass_two_gates() {
  pass(std::getenv(entered_variable));
  pass(std::getenv(left_variable));
}

int pass_both(const std::string& first, const std::string& second) { return pass(first) + pass(second); }

TEST(ManagerStall, WorkerThatBeginsToServeWhenTheManagerGoesToSleepIsSeen) {
  fifo entered;
  fifo left;
  const fifo begun;
  const fifo never;
  setenv(entered_variable, entered.path().c_str(), 1);
  setenv(left_variable, left.path().c_str(), 1);
  process_pool pool({.max_workers = 1, .initializer = pass_two_gates});
  auto limited = pool.submit({.timeout = 1ms}, pass_both, begun.path(), never.path());
  entered.release();  // the worker is in its initializer
  while (pool.stats().bytes_sent == 0) sched_yield();
  for (const auto& [thread, name] : tandem::test::threads())
    if (name == "tandem-manager") tandem::test::wait_until_asleep(thread);
  stop_place place;
  stop_manager_at_clock = &place;
  pool.resize(1);  // has the manager go round; the task has a limit, so it looks at the clock
  place.reached.wait();
  left.release();
  begun.release();  // the worker serves: it runs the task
  place.leave.open();
  EXPECT_THROW(limited.get(), tandem::timeout_error);
  entered.release_all();  // another worker may be on its way
  left.release_all();
}

}  // namespace
