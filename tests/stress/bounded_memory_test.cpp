// However many tasks go through a bounded queue, memory stays flat.
#include <tandem/process_pool.hpp>
#include <tandem/tbb_pool.hpp>
#include <tandem/thread_pool.hpp>

#include <gtest/gtest.h>

#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace tandem {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool keeps_freed_memory = true;  // sanitizers do, to find who still uses it
#else
constexpr bool keeps_freed_memory = false;
#endif

constexpr int capacity = 1000;
constexpr int workers = 2;

void nothing() {}

template <class Pool>
void push_through(int tasks) {
  Pool pool({.max_workers = workers, .queue_capacity = capacity});
  for (int i = 0; i < 10 * capacity; ++i) pool.post(nothing);  // workers and first memory are there
  const long before = test::resident_kibibytes();
  for (int i = 0; i < tasks; ++i) {
    pool.post(nothing);
    if (i % 1000 == 0) {
      ASSERT_LE(pool.stats().queued, capacity + workers);
    }
  }
  if (!keeps_freed_memory) {
    EXPECT_LT(test::resident_kibibytes() - before, 4096);
  }
  pool.shutdown();
  EXPECT_EQ(pool.stats().finished, tasks + 10 * capacity);
}

TEST(BoundedMemory, StaysFlatOnAThreadPool) { push_through<thread_pool>(1'000'000 / test::slowness()); }
TEST(BoundedMemory, StaysFlatOnATbbPool) { push_through<tbb_pool>(1'000'000 / test::slowness()); }
TEST(BoundedMemory, StaysFlatOnAProcessPool) { push_through<process_pool>(300'000 / test::slowness()); }

}  // namespace
}  // namespace tandem
