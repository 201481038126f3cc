// What a task takes while it waits. Resident memory in a fresh process, not what malloc() has given: some libraries have
// an allocator of their own, and some keep blocks. For the same reason no task has run before, but those that block the workers.
#ifndef TANDEM_BENCH_MEMORY_WORKLOAD_HPP
#define TANDEM_BENCH_MEMORY_WORKLOAD_HPP

#include <cstddef>
#include <latch>
#include <vector>

#include "bench/usage.hpp"
#include "bench/workload.hpp"

namespace memory {

using bench::figures;

/// Opens its gate once, at the latest when an exception passes by: the pool's destructor waits for the workers.
class gate_keeper {
 public:
  explicit gate_keeper(std::latch& gate) : gate_(&gate) {}
  ~gate_keeper() { open(); }
  gate_keeper(const gate_keeper&) = delete;
  gate_keeper& operator=(const gate_keeper&) = delete;
  void open() {
    if (gate_ != nullptr) gate_->count_down();
    gate_ = nullptr;
  }

 private:
  std::latch* gate_;
};

template <class Pool>
figures measure(const bench::conditions& c) {
  const std::size_t tasks = c.pick<std::size_t>(100'000, 10'000);
  // Where it throws it does so before anybody waits; and what reading takes is there.
  static_cast<void>(bench::resident_bytes());
  std::latch blocked(c.workers + 1);
  std::latch gate(1);
  Pool pool(c.workers);
  std::vector<decltype(pool.submit([] {}))> futures;
  gate_keeper keeper(gate);
  futures.reserve(tasks + static_cast<std::size_t>(c.workers));
  for (int i = 0; i < c.workers; ++i) {
    futures.push_back(pool.submit([&] {
      blocked.count_down();
      gate.wait();
    }));
  }
  blocked.arrive_and_wait();
  const double before = bench::resident_bytes();
  for (std::size_t i = 0; i < tasks; ++i) futures.push_back(pool.submit([] {}));
  const double taken = bench::resident_bytes() - before;
  keeper.open();
  for (auto& future : futures) future.get();
  // The handles became resident meanwhile, too.
  return {taken / static_cast<double>(tasks) - static_cast<double>(sizeof futures.front())};
}

}  // namespace memory

#endif
