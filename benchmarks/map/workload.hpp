// A function of about a nanosecond for each of ten million numbers. Loops write into a vector of the caller's that has been
// written before; map() makes its results, whose pages come from the kernel, and is compared with a loop that makes them too. The
// overhead is the time of all workers together above what that serial loop takes, measured in the same run.
#ifndef TANDEM_BENCH_MAP_WORKLOAD_HPP
#define TANDEM_BENCH_MAP_WORKLOAD_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "bench/stopwatch.hpp"
#include "bench/warm_up.hpp"
#include "bench/workload.hpp"

namespace map {

using bench::figures;
using numbers = std::vector<std::uint32_t>;

figures run_tandem_map(const bench::conditions& c);
figures run_tandem_for(const bench::conditions& c);
figures run_onetbb_for(const bench::conditions& c);
figures run_serial(const bench::conditions& c);
figures run_serial_making(const bench::conditions& c);

/// So cheap that what a library adds to each item shows. Both halves of 128-bit products: compilers have no vector
/// instruction for that, so that an item is the same work in each kind of loop. A simpler function is vectorized in some.
inline std::uint32_t work_on(std::uint32_t number) {
  __extension__ using wide = unsigned __int128;
  std::uint64_t x = number;
  for (const std::uint64_t factor : {0x9E3779B97F4A7C15U, 0xD1B54A32D192ED03U}) {
    const wide product = static_cast<wide>(x ^ 0xA0761D6478BD642FU) * factor;
    x = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }
  return static_cast<std::uint32_t>(x);
}

inline void serial_into(const numbers& items, numbers& results) {
  for (std::size_t i = 0; i < items.size(); ++i) results[i] = work_on(items[i]);
}

inline numbers serial_making(const numbers& items) {
  numbers results(items.size());
  serial_into(items, results);
  return results;
}

/// ns per item of `all(items)` on `workers` threads, beside `serial(items)`; each the median of three runs in turn. Both
/// return the results, or a reference to them.
template <class All, class Serial>
figures compare_with(Serial serial, const bench::conditions& c, int workers, All all) {
  numbers items(c.pick<std::size_t>(10'000'000, 100'000));
  std::iota(items.begin(), items.end(), 0U);
  const auto time = [&](auto& f) {
    const bench::stopwatch watch;
    const auto& results = f(items);
    const double per_item = watch.nanoseconds() / static_cast<double>(items.size());
    if (results.back() != work_on(items.back())) throw std::runtime_error("wrong result");
    return per_item;
  };
  static_cast<void>(time(all));
  std::array<double, 3> alone{};
  std::array<double, 3> together{};
  for (std::size_t i = 0; i < alone.size(); ++i) {
    alone[i] = time(serial);
    together[i] = time(all);
  }
  std::sort(alone.begin(), alone.end());
  std::sort(together.begin(), together.end());
  return {together[1], together[1] * workers - alone[1]};
}

/// For `all(items, results)`, which writes into `results`.
template <class All>
figures measure_into(const bench::conditions& c, int workers, All all) {
  numbers results(c.pick<std::size_t>(10'000'000, 100'000), 1);
  return compare_with(
      [&](const numbers& items) -> const numbers& {
        serial_into(items, results);
        return results;
      },
      c, workers,
      [&](const numbers& items) -> const numbers& {
        all(items, results);
        return results;
      });
}

/// For `all(items)`, which returns the results.
template <class All>
figures measure_making(const bench::conditions& c, int workers, All all) {
  return compare_with(serial_making, c, workers, all);
}

}  // namespace map

#endif
