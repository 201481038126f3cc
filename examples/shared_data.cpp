// A large table that many tasks read: made once, mapped by every worker, copied by none.
#include <tandem/tandem.hpp>

#include <cmath>
#include <cstddef>
#include <iostream>
#include <numeric>
#include <span>
#include <vector>

using table = tandem::shared_buffer<double>;

constexpr std::size_t rows = 100;
constexpr std::size_t columns = 10'000;

// The table arrives as a handle; a span of a part of it is just a pointer into the mapped memory.
double sum_of_row(const table& numbers, std::size_t row) {
  const std::span<const double> values = numbers.span().subspan(row * columns, columns);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// A worker may make one, too: the result is not copied either.
table square_roots(table numbers) {
  return table(numbers.size(), [&](std::span<double> to) {
    for (std::size_t i = 0; i != to.size(); ++i) to[i] = std::sqrt(numbers[i]);
  });
}

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  tandem::process_pool pool({.max_workers = 2});

  // Written in place. From a range: table(values).
  const table numbers(rows * columns, [](std::span<double> to) {
    for (std::size_t i = 0; i != to.size(); ++i) to[i] = static_cast<double>(i % columns);
  });

  std::vector<std::size_t> each_row(rows);
  std::iota(each_row.begin(), each_row.end(), std::size_t{0});
  const std::vector<double> sums = pool.map(sum_of_row, std::vector<table>(rows, numbers), each_row);
  std::cout << "a row's sum: " << sums.front()
            << ", of all: " << std::accumulate(sums.begin(), sums.end(), 0.0) << '\n';

  const table roots = pool.submit(square_roots, numbers).get();
  std::cout << "the root of " << numbers[100] << " is " << roots[100] << '\n';
}
