// A million empty tasks whose results nobody wants, and the wait until all have run. tandem with futures, for comparison.
#ifndef TANDEM_BENCH_SUBMIT_NO_FUTURE_WORKLOAD_HPP
#define TANDEM_BENCH_SUBMIT_NO_FUTURE_WORKLOAD_HPP

#include <cstddef>

#include "bench/countdown.hpp"
#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace submit_no_future {

using bench::figures;

figures run_tandem_post(const bench::conditions& c);
figures run_tandem_submit(const bench::conditions& c);
figures run_onetbb_group(const bench::conditions& c);
figures run_onetbb_enqueue(const bench::conditions& c);
figures run_asio(const bench::conditions& c);
figures run_boost_thread(const bench::conditions& c);
figures run_taskflow(const bench::conditions& c);
figures run_bs_thread_pool(const bench::conditions& c);

inline std::size_t count(const bench::conditions& c) { return c.pick<std::size_t>(1'000'000, 10'000); }

/// ns per task: `submit_all(count)` submits and returns when all have been run. Once without the clock, so that the memory of a
/// million tasks is there.
template <class SubmitAll>
figures measure(const bench::conditions& c, SubmitAll submit_all) {
  submit_all(count(c));
  const bench::stopwatch watch;
  submit_all(count(c));
  return {watch.nanoseconds() / static_cast<double>(count(c))};
}

/// For a library that cannot wait for all its tasks: they count themselves. `submit_one(task)` submits.
template <class SubmitOne>
void submit_counted(std::size_t tasks, SubmitOne submit_one) {
  bench::countdown left(tasks);
  for (std::size_t i = 0; i < tasks; ++i) submit_one([&left] { left.one_done(); });
  left.wait();
}

/// For a library that waits for all by ending the pool, which it can do only once: `end()`.
template <class SubmitOne, class End>
figures measure_to_the_end(const bench::conditions& c, SubmitOne submit_one, End end) {
  submit_counted(count(c), submit_one);
  const bench::stopwatch watch;
  for (std::size_t i = 0; i < count(c); ++i) submit_one([] {});
  end();
  return {watch.nanoseconds() / static_cast<double>(count(c))};
}

}  // namespace submit_no_future

#endif
