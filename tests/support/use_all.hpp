// Makes every worker of a pool of this process come, for tests of workers that go again.
#ifndef TANDEM_TESTS_SUPPORT_USE_ALL_HPP
#define TANDEM_TESTS_SUPPORT_USE_ALL_HPP

#include <tandem/thread_pool.hpp>

#include <latch>
#include <vector>

namespace tandem::test {

/// Uses all workers at the same time; returns when they are free again.
inline void use_all(thread_pool& pool) {
  const int workers = pool.max_workers();
  std::latch all(workers);
  std::vector<future<void>> fs;
  for (int i = 0; i < workers; ++i) fs.push_back(pool.submit([&] { all.arrive_and_wait(); }));
  for (auto& f : fs) f.get();
}

}  // namespace tandem::test

#endif
