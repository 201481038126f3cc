// Threads that submit at the same time, and the time from the first one's begin to the last one's end.
#ifndef TANDEM_BENCH_PRODUCERS_HPP
#define TANDEM_BENCH_PRODUCERS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <latch>
#include <thread>
#include <vector>

namespace bench {

/// Calls `produce()` in `count` threads, of which the caller is one; returns nanoseconds. Each looks at the clock itself:
/// the caller may be the last that is woken.
/// @throws what a call has thrown, when all have ended
template <class Produce>
double time_of_producers(std::size_t count, Produce produce) {
  using clock = std::chrono::steady_clock;
  struct part {
    clock::time_point begin;
    clock::time_point end;
    std::exception_ptr failure;
  };
  std::vector<part> parts(count);
  std::latch ready(static_cast<std::ptrdiff_t>(count));
  const auto run = [&](part& mine) noexcept {
    ready.arrive_and_wait();
    mine.begin = clock::now();
    try {
      produce();
    } catch (...) {
      mine.failure = std::current_exception();
    }
    mine.end = clock::now();
  };
  std::vector<std::jthread> others;
  others.reserve(count);
  try {
    for (std::size_t i = 1; i < count; ++i) others.emplace_back([&run, &mine = parts[i]] { run(mine); });
  } catch (...) {  // no more threads: those that there are must not wait for the others
    ready.count_down(static_cast<std::ptrdiff_t>(count - others.size()));
    throw;
  }
  run(parts[0]);
  for (std::jthread& other : others) other.join();
  clock::time_point begin = parts[0].begin;
  clock::time_point end = parts[0].end;
  for (const part& one : parts) {
    if (one.failure) std::rethrow_exception(one.failure);
    begin = std::min(begin, one.begin);
    end = std::max(end, one.end);
  }
  return std::chrono::duration<double, std::nano>(end - begin).count();
}

}  // namespace bench

#endif
