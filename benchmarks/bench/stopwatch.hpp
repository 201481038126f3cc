// Wall time since it was made.
#ifndef TANDEM_BENCH_STOPWATCH_HPP
#define TANDEM_BENCH_STOPWATCH_HPP

#include <chrono>

namespace bench {

class stopwatch {
 public:
  [[nodiscard]] double nanoseconds() const {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin_).count();
  }
  [[nodiscard]] double milliseconds() const { return nanoseconds() / 1e6; }
  [[nodiscard]] double seconds() const { return nanoseconds() / 1e9; }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace bench

#endif
