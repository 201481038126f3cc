// The product of two 1024 x 1024 matrices of integers, divided into quarters down to blocks of 64 x 64: two phases of four
// products each, since two products go into each quarter of the result.
#ifndef TANDEM_BENCH_MATMUL_WORKLOAD_HPP
#define TANDEM_BENCH_MATMUL_WORKLOAD_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/fork_join.hpp"
#include "bench/workload.hpp"

namespace matmul {

using bench::figures;

figures run_tandem_invoke(const bench::conditions& c);
figures run_tandem_group(const bench::conditions& c);
figures run_onetbb_group(const bench::conditions& c);
figures run_onetbb_invoke(const bench::conditions& c);
figures run_taskflow(const bench::conditions& c);
figures run_libfork(const bench::conditions& c);
figures run_serial(const bench::conditions& c);

using element = std::int32_t;

/// A square part of a matrix.
template <class Element>
struct block {
  Element* first;
  std::size_t stride;  ///< Elements from one row to the next.
  std::size_t size;

  [[nodiscard]] block quarter(std::size_t row, std::size_t column) const {
    const std::size_t half = size / 2;
    return {first + row * half * stride + column * half, stride, half};
  }
};

/// c += a * b.
struct product {
  block<const element> a;
  block<const element> b;
  block<element> c;

  [[nodiscard]] bool is_small() const { return c.size <= 64; }
  /// Eight parts: 0 to 3 may run at the same time, and 4 to 7 behind them.
  [[nodiscard]] product part(std::size_t i) const {
    const std::size_t row = i / 2 % 2;
    const std::size_t column = i % 2;
    const std::size_t k = i / 4;
    return {a.quarter(row, k), b.quarter(k, column), c.quarter(row, column)};
  }
  void compute() const {
    for (std::size_t i = 0; i < c.size; ++i) {
      element* out = c.first + i * c.stride;
      for (std::size_t k = 0; k < c.size; ++k) {
        const element factor = a.first[i * a.stride + k];
        const element* in = b.first + k * b.stride;
        for (std::size_t j = 0; j < c.size; ++j) out[j] += factor * in[j];
      }
    }
  }
};

inline void serial(const product& all) {
  if (all.is_small()) return all.compute();
  for (std::size_t i = 0; i < 8; ++i) serial(all.part(i));
}

/// By a class with run() and wait().
template <class Group>
void with_group(const product& all) {
  if (all.is_small()) return all.compute();
  for (const std::size_t phase : {0U, 4U}) {
    Group group;
    for (std::size_t i = phase; i < phase + 3; ++i) group.run([&all, i] { with_group<Group>(all.part(i)); });
    with_group<Group>(all.part(phase + 3));
    group.wait();
  }
}

/// Times `multiply(product)`.
template <class Multiply>
figures measure(const bench::conditions& c, Multiply multiply) {
  const std::size_t n = c.pick<std::size_t>(1024, 256);
  std::vector<element> a(n * n);
  std::vector<element> b(n * n);
  std::vector<element> out(n * n);
  for (std::size_t i = 0; i < n * n; ++i) {
    a[i] = static_cast<element>(i % 7);
    b[i] = static_cast<element>(i % 5);
  }
  const product small{{a.data(), n, 128}, {b.data(), n, 128}, {out.data(), n, 128}};
  const product all{{a.data(), n, n}, {b.data(), n, n}, {out.data(), n, n}};
  const auto run = [&](const product& what) {
    multiply(what);
    return out[(n - 1) * n + n / 2];
  };
  // One element is enough to see that nothing was left out where it counts.
  long expected = 0;
  for (std::size_t k = 0; k < n; ++k) expected += a[(n - 1) * n + k] * b[k * n + n / 2];
  return bench::timed(
      static_cast<element>(expected),
      [&] {
        run(small);
        return out.assign(n * n, 0);
      },
      [&] { return run(all); });
}

}  // namespace matmul

#endif
