// Memory of tasks: who keeps what, and that a pool in its stride asks the heap for nothing. Replaces operator new to count.
#include <tandem/detail/block_cache.hpp>

#include <tandem/thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <set>
#include <thread>
#include <vector>

namespace {

std::atomic<std::int64_t> taken_from_heap{0};
std::atomic<std::int64_t> given_to_heap{0};

void* counted(std::size_t bytes) {
  ++taken_from_heap;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept {
  if (memory != nullptr) ++given_to_heap;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

using tandem::detail::block_cache;
using tandem::detail::block_cache_of_this_thread;

constexpr bool keeps = !TANDEM_UNDER_ASAN;

// On a thread of its own, whose cache is new.
template <class F>
void on_new_thread(F f) {
  std::thread(f).join();
}

TEST(BlockCache, GivesTheBlockThatCameLast) {
  if (!keeps) GTEST_SKIP() << "under AddressSanitizer each block is new";
  on_new_thread([] {
    void* a = block_cache_of_this_thread().take(100);
    void* b = block_cache_of_this_thread().take(65);
    block_cache_of_this_thread().give(a, 100);
    block_cache_of_this_thread().give(b, 65);
    EXPECT_EQ(block_cache_of_this_thread().take(128), b) << "of the same size class";
    void* other = block_cache_of_this_thread().take(129);
    EXPECT_NE(other, a) << "of another";
    EXPECT_EQ(block_cache_of_this_thread().take(128), a);
    block_cache_of_this_thread().give(a, 128);
    block_cache_of_this_thread().give(b, 128);
    block_cache_of_this_thread().give(other, 129);
  });
}

TEST(BlockCache, BlocksAreAsLargeAsAskedFor) {
  on_new_thread([] {
    std::vector<std::pair<void*, std::size_t>> blocks;
    for (int round = 0; round < 2; ++round) {
      for (std::size_t bytes = 1; bytes < 1000; bytes += 7) {
        void* block = block_cache_of_this_thread().take(bytes);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U);
        std::fill_n(static_cast<char*>(block), bytes, 'x');
        blocks.emplace_back(block, bytes);
      }
      for (const auto& [block, bytes] : blocks) block_cache_of_this_thread().give(block, bytes);
      blocks.clear();
    }
  });
}

TEST(BlockCache, AThreadThatEndsKeepsNothing) {
  const std::int64_t before = taken_from_heap - given_to_heap;
  on_new_thread([] {
    std::vector<void*> blocks(10);
    for (void*& block : blocks) block = block_cache_of_this_thread().take(200);
    for (void* block : blocks) block_cache_of_this_thread().give(block, 200);
  });
  EXPECT_EQ(taken_from_heap - given_to_heap, before);
}

TEST(BlockCache, WhatOneThreadHasTooManyOfAnotherOneGets) {
  if (!keeps) GTEST_SKIP() << "under AddressSanitizer each block is new";
  constexpr std::size_t bytes = 300;
  constexpr int count = 500;
  std::vector<void*> blocks;
  for (int i = 0; i < count; ++i) blocks.push_back(block_cache_of_this_thread().take(bytes));
  const std::set<void*> all(blocks.begin(), blocks.end());
  std::thread([&] {
    for (void* block : blocks) block_cache_of_this_thread().give(block, bytes);
  }).join();
  int known = 0;
  for (void*& block : blocks) {
    block = block_cache_of_this_thread().take(bytes);
    known += static_cast<int>(all.count(block));
  }
  EXPECT_GT(known, count / 2);
  EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size()) << "one given twice";
  for (void* block : blocks) block_cache_of_this_thread().give(block, bytes);
}

TEST(BlockCache, KeepsNoMoreThanSomeMegabytes) {
  const std::int64_t before = taken_from_heap - given_to_heap;
  constexpr std::size_t bytes = 64;
  std::vector<void*> blocks;
  blocks.reserve(1'000'000);
  for (int i = 0; i < 1'000'000; ++i) blocks.push_back(block_cache_of_this_thread().take(bytes));
  for (void* block : blocks) block_cache_of_this_thread().give(block, bytes);
  std::vector<void*>().swap(blocks);
  EXPECT_LT((taken_from_heap - given_to_heap - before) * static_cast<std::int64_t>(bytes), 1 << 20);
}

TEST(BlockCache, MayBeUsedByDestructorsOfThreadLocals) {
  struct late {
    void* block = nullptr;
    ~late() {
      block_cache_of_this_thread().give(block, 100);
      block_cache_of_this_thread().give(block_cache_of_this_thread().take(100), 100);
    }
  };
  const std::int64_t before = taken_from_heap - given_to_heap;
  on_new_thread([] {
    thread_local late l;
    l.block = block_cache_of_this_thread().take(100);  // the cache's own hook comes behind, so it goes first
    block_cache_of_this_thread().give(block_cache_of_this_thread().take(100), 100);
  });
  EXPECT_EQ(taken_from_heap - given_to_heap, before);
}

TEST(BlockCache, APoolInItsStrideAllocatesNothing) {
  if (!keeps) GTEST_SKIP() << "under AddressSanitizer each block is new";
  constexpr int window = 1000;
  constexpr int windows = 200;
  tandem::thread_pool pool({.max_workers = 2});
  std::vector<tandem::future<int>> futures;
  futures.reserve(window);
  const auto pass = [&] {
    for (int i = 0; i < window; ++i) futures.push_back(pool.submit([i] { return i; }));
    for (int i = 0; i < window; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
    futures.clear();
  };
  for (int i = 0; i < 50; ++i) pass();
  std::vector<std::int64_t> allocations(windows);
  for (std::int64_t& made : allocations) {
    const std::int64_t before = taken_from_heap;
    pass();
    made = taken_from_heap - before;
  }
  // Now and then the queue is longer than it has ever been, or a thread loses the CPU while it has the depot.
  std::sort(allocations.begin(), allocations.end());
  EXPECT_EQ(allocations[windows / 2], 0) << "allocations for " << window << " tasks";
}

}  // namespace
