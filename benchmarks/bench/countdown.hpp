// The wait until many tasks have run: for the clock, without a look at each future, which would make the waiting thread one
// more that runs meanwhile.
#ifndef TANDEM_BENCH_COUNTDOWN_HPP
#define TANDEM_BENCH_COUNTDOWN_HPP

#include <atomic>
#include <cstddef>
#include <latch>

namespace bench {

class countdown {
 public:
  explicit countdown(std::size_t count) : left_(count) {}

  void one_done() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) all_done_.count_down();
  }
  /// Sleeps once, until the last one_done().
  void wait() const { all_done_.wait(); }

 private:
  std::atomic<std::size_t> left_;
  std::latch all_done_{1};
};

}  // namespace bench

#endif
