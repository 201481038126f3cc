// The pool's manager runs out of memory, at its first allocation, its second, and so on: nothing hangs, nothing ends
// this process. A program of its own, for it replaces operator new.
#include "faults/tasks.hpp"

#include <tandem/process_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <sys/prctl.h>

namespace {

std::atomic<int> until_failure{0};  // allocations of the manager; 0: none fails

bool on_manager() {
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  return std::strcmp(name, "tandem-manager") == 0;
}

void* allocate(std::size_t size) {
  if (until_failure.load() > 0 && on_manager() && until_failure.fetch_sub(1) == 1) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace std::chrono_literals;

/// Some of everything that the manager does. Each future must resolve, one way or another.
void use_a_pool() {
  tandem::process_pool pool({.max_workers = 2});
  const tandem::test::fifo gate;
  std::vector<tandem::future<int>> numbers;
  std::vector<tandem::future<std::string>> texts;
  try {
    for (int i = 0; i < 10; ++i) numbers.push_back(pool.submit(tandem::test::add_one, i));
    numbers.push_back(
        pool.submit({.name = "fragile", .retries = 1}, tandem::test::die, tandem::test::death::exit_7));
    texts.push_back(pool.submit(tandem::test::echo, std::string(300000, 'x')));
    numbers.push_back(pool.submit({.name = "slow", .timeout = 5ms}, tandem::test::pass, gate.path()));
    for (int i = 0; i < 10; ++i) texts.push_back(pool.submit(tandem::test::echo, std::string(1000, 'x')));
  } catch (const tandem::broken_pool_error&) {
    // So soon.
  }
  for (auto& f : numbers) {
    if (f.exception() == nullptr) {
      EXPECT_GT(f.get(), 0);
    }
  }
  for (auto& f : texts) {
    if (f.exception() == nullptr) {
      EXPECT_GE(f.get().size(), 1000U);
    }
  }
}

TEST(ProcessPool, SurvivesAManagerThatRunsOutOfMemoryAnywhere) {
  testing::internal::CaptureStderr();
  int n = 1;
  for (;; ++n) {
    until_failure = n;
    use_a_pool();
    if (until_failure.exchange(0) > 0) break;  // it never came to that allocation
  }
  testing::internal::GetCapturedStderr();
  EXPECT_GT(n, 10);
}

}  // namespace
