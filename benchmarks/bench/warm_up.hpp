// Gets a pool ready for the clock. Libraries differ in when they start their threads: with the pool, with the first tasks,
// or when all others are busy. What is measured should not.
#ifndef TANDEM_BENCH_WARM_UP_HPP
#define TANDEM_BENCH_WARM_UP_HPP

#include <cstddef>
#include <latch>
#include <vector>

namespace bench {

/// When this returns, each of the `workers` workers has run a task. A worker that waits for the others runs nothing else, so
/// that the next task needs another worker.
template <class Pool>
void meet(Pool& pool, int workers) {
  std::latch all_are_there(workers);
  std::vector<decltype(pool.submit([] {}))> futures;
  futures.reserve(static_cast<std::size_t>(workers));
  int submitted = 0;
  try {
    for (; submitted < workers; ++submitted)
      futures.push_back(pool.submit([&all_are_there] { all_are_there.arrive_and_wait(); }));
  } catch (...) {  // those that wait must end, and be done with the latch
    all_are_there.count_down(workers - submitted);
    for (auto& future : futures) future.get();
    throw;
  }
  for (auto& future : futures) future.get();
}

/// The same, and the pool has run a thousand empty tasks.
template <class Pool>
void warm_up(Pool& pool, int workers) {
  if constexpr (!requires { typename Pool::tasks_must_not_block; }) meet(pool, workers);
  std::vector<decltype(pool.submit([] {}))> futures;
  for (int batch = 0; batch < 10; ++batch) {
    futures.clear();
    for (int i = 0; i < 100; ++i) futures.push_back(pool.submit([] {}));
    for (auto& future : futures) future.get();
  }
}

/// A pool that is ready when it is made.
template <class Pool>
class warm : public Pool {
 public:
  explicit warm(int workers) : Pool(workers) { warm_up(static_cast<Pool&>(*this), workers); }
};

}  // namespace bench

#endif
