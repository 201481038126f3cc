// map() over a process pool: CPU-bound work on all CPUs, each worker a process of its own.
//
// What crosses to the workers and back: numbers, strings, containers, and structs of those, with no work by the user.
// The callable is a function, a lambda without captures, or a by_value(...) closure of plain data.
#include <tandem/tandem.hpp>

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

struct verdict {
  std::int64_t number = 0;
  std::int64_t factor = 0;  // the smallest one; 0: none, a prime number
};

verdict examine(std::int64_t number) {
  if (number < 2) throw std::domain_error(std::to_string(number) + " is neither prime nor composite");
  for (std::int64_t factor = 2; factor <= number / factor; ++factor) {
    if (number % factor == 0) return {number, factor};
  }
  return {number, 0};
}

int power(int base, int exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);   // before everything else: the workers are this same program
  tandem::process_pool pool;  // as many workers as CPUs that this process may use

  // Items go to the workers in chunks, sized by what an item turns out to cost; the results come in input order.
  const std::vector<std::int64_t> numbers{1'000'000'007, 1'000'000'011, 2'147'483'647, 4'294'967'297,
                                          10'000'600'009};
  for (const verdict& v : pool.map(examine, numbers)) {
    std::cout << v.number << (v.factor == 0 ? " is prime" : " is divisible by " + std::to_string(v.factor))
              << '\n';
  }

  // Several inputs are taken in step; starmap takes them as tuples. Options come first.
  const std::vector<int> bases{2, 3, 5};
  const std::vector<int> exponents{10, 5, 3};
  for (const int p : pool.map({.chunk_size = 1}, power, bases, exponents)) std::cout << p << '\n';
  const std::vector<std::pair<int, int>> pairs{{7, 2}, {2, 7}};
  for (const int p : pool.starmap(power, pairs)) std::cout << p << '\n';

  // Captures of plain data cross in a by_value; a lambda that captures does not compile here without it.
  const int limit = 20 * static_cast<int>(numbers.size());
  for (const int n :
       pool.map(tandem::by_value([limit](int n) { return n < limit ? n : limit; }), std::vector{99, 512})) {
    std::cout << n << '\n';
  }

  // A standard exception arrives as its own type.
  try {
    pool.map(examine, std::vector<std::int64_t>{5, 1, 7});
  } catch (const std::domain_error& e) {
    std::cout << "domain_error: " << e.what() << '\n';
  }
}
