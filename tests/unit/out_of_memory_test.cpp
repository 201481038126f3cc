// What is left behind when there is no memory in the middle of something: each allocation of it fails in turn. This program
// replaces operator new, so it is a program of its own.
#include <tandem/inline_executor.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <stop_token>

namespace {

thread_local int until_failure = -1;  // allocations that succeed before one fails; negative: none fails

// Neither is inlined: the compiler would take the pair of new and free() for a mistake.
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void* allocate(std::size_t size) noexcept {
  if (until_failure >= 0 && until_failure-- == 0) return nullptr;
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

using namespace std::chrono_literals;

// Calls `step` with the first allocation failing, then the second and so on, until it succeeds; returns how often it
// failed.
template <class Step>
int fail_each_allocation(Step step) {
  for (int n = 0;; ++n) {
    bool failed = false;
    until_failure = n;
    try {
      step();
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    until_failure = -1;
    if (!failed) return n;
  }
}

TEST(OutOfMemory, RepeatedTaskThatCouldNotBeginLeavesNothingInItsStopSource) {
  tandem::inline_executor pool;
  const int failures = fail_each_allocation([&] {
    const int left = std::exchange(until_failure, -1);
    std::stop_source stop;
    until_failure = left;
    struct request_at_the_end {
      std::stop_source& stop;
      ~request_at_the_end() {
        until_failure = -1;
        stop.request_stop();
      }
    } const at_the_end{stop};
    auto repeated = pool.submit_every({.stop_token = stop.get_token()}, 1h, [] {});
  });
  EXPECT_GT(failures, 3);
}

TEST(OutOfMemory, DelayedTaskThatCouldNotBeSetLeavesNothingInItsStopSource) {
  tandem::inline_executor pool;
  std::stop_source stop;
  const int failures = fail_each_allocation(
      [&] { auto delayed = pool.submit_after({.stop_token = stop.get_token()}, 1h, [] {}); });
  EXPECT_GT(failures, 3);
  stop.request_stop();
}

}  // namespace
