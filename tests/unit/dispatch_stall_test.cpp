// A producer that loses the CPU between its ticket and its slot, made certain: the first push into a segment allocates
// it just there, and this program's operator new can hold a thread up. It replaces operator new, so it is a program of
// its own.
#include "dispatch/injector.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <thread>

#include "support/stop_place.hpp"

namespace {

using tandem::test::stop_here;
using tandem::test::stop_place;

void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
  tandem::test::stop_if_told();
  const auto align = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(align, (size + align - 1) / align * align);
}

}  // namespace

// Those for over-aligned types, as the injector's segments are; all others stay as they are.
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
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

using queue = tandem::dispatch::injector<int>;

TEST(InjectorStall, OvertakenProducerPushesAgain) {
  queue q;
  int late = 1;
  int early = 2;
  stop_place place;
  bool accepted = false;
  std::thread producer([&] {
    stop_here = &place;
    accepted = q.push(&late);
  });
  place.reached.wait();  // it has ticket 0, and nothing is in slot 0
  const bool second_accepted = q.push(&early);
  int* out[4] = {};
  EXPECT_EQ(q.size(), 2U);
  // The consumer gives slot 0 up rather than wait; the item behind it comes at once.
  EXPECT_EQ(q.pop(out, 4), 1U);
  EXPECT_EQ(out[0], &early);
  EXPECT_TRUE(q.empty());
  EXPECT_EQ(q.pushed(), 1U);
  place.leave.open();
  producer.join();
  EXPECT_TRUE(accepted);
  EXPECT_TRUE(second_accepted);
  ASSERT_EQ(q.pop(out, 4), 1U);
  EXPECT_EQ(out[0], &late);
  EXPECT_EQ(q.pushed(), 2U);
}

TEST(InjectorStall, OvertakenProducerIsRefusedWhenTheQueueWasClosedMeanwhile) {
  queue q;
  int late = 1;
  stop_place place;
  bool accepted = true;
  std::thread producer([&] {
    stop_here = &place;
    accepted = q.push(&late);
  });
  place.reached.wait();
  q.close();
  int* out = nullptr;
  EXPECT_EQ(q.pop(&out, 1), 0U);
  EXPECT_TRUE(q.empty());
  place.leave.open();
  producer.join();
  EXPECT_FALSE(accepted);
  EXPECT_EQ(q.pop(&out, 1), 0U);
  EXPECT_EQ(q.pushed(), 0U);
}

}  // namespace
