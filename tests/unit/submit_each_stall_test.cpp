// submit_each() in the midst of handing a batch to a thread_pool, made certain: the push that comes to a new segment of
// the queue allocates it, and this program's operator new can hold the thread up. It replaces operator new, so it is a
// program of its own.
#include <tandem/thread_pool.hpp>

#include "dispatch/injector.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

#include "support/asleep.hpp"
#include "support/stop_place.hpp"
#include "support/use_all.hpp"

namespace {

using tandem::test::stop_here;
using tandem::test::stop_place;

void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
  const auto align = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(align, (size + align - 1) / align * align);
}

}  // namespace

// Those for over-aligned types; of them only the injector's segments are taken by the one that does not throw.
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  tandem::test::stop_if_told();
  return allocate(size, alignment);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (void* memory = allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { std::free(memory); }

namespace {

constexpr int batch = 256;
constexpr int segment = static_cast<int>(tandem::dispatch::injector<tandem::detail::core>::segment_slots);

std::vector<int> sleeping_workers(tandem::thread_pool& pool) {
  tandem::test::use_all(pool);
  std::vector<int> threads;
  for (const auto& worker : pool.stats().per_worker) threads.push_back(worker.pid);
  for (const int thread : threads) tandem::test::wait_until_asleep(thread);
  return threads;
}

TEST(SubmitEachStall, NoWorkerIsCalledBeforeTheWholeBatchIsThere) {
  tandem::thread_pool pool({.max_workers = 3});
  std::atomic<int> ran{0};
  const auto threads = sleeping_workers(pool);
  ASSERT_EQ(threads.size(), 3U);
  // The batch lies on both sides of the end of a segment.
  for (auto before = pool.stats().finished; before < segment - batch / 2; ++before) pool.submit([] {}).get();
  for (const int thread : threads) tandem::test::wait_until_asleep(thread);

  stop_place place;
  std::vector<tandem::future<int>> fs;
  std::vector<int> numbers(batch);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::thread submitter([&] {
    stop_here = &place;
    fs = pool.submit_each(
        [&](int i) {
          ++ran;
          return i;
        },
        numbers);
    stop_here = nullptr;
  });
  place.reached.wait();
  const auto queued = pool.stats().queued;
  EXPECT_GT(queued, batch / 4) << "in the midst";
  EXPECT_LT(queued, batch * 3 / 4);
  EXPECT_TRUE(std::all_of(threads.begin(), threads.end(), tandem::test::is_asleep));
  EXPECT_EQ(ran, 0);
  place.leave.open();
  submitter.join();
  for (int i = 0; i < batch; ++i) EXPECT_EQ(fs[static_cast<std::size_t>(i)].get(), i);
}

}  // namespace
