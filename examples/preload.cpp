// A table that is loaded once and shared by all workers: preload() in the process that they are forked from.
#include <tandem/tandem.hpp>

#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

// Empty in this program; full in its workers.
std::vector<long> squares;
int loaded_by = 0;

void load_squares() {
  loaded_by = static_cast<int>(getpid());
  squares.resize(1'000'000);
  std::iota(squares.begin(), squares.end(), 0L);
  for (long& n : squares) n *= n;
}

long square_of(int n) { return squares.at(static_cast<std::size_t>(n)); }

bool was_loaded_by_my_parent() { return loaded_by == static_cast<int>(getppid()); }

}  // namespace

int main(int argc, char** argv) {
  tandem::init(argc, argv);
  tandem::preload(load_squares);

  tandem::process_pool pool({.max_workers = 2});
  std::vector<int> numbers{3, 1000, 999'999};
  for (long n : pool.map(square_of, numbers)) std::cout << n << '\n';
  std::cout << std::boolalpha << "shared with the others: " << pool.submit(was_loaded_by_my_parent).get()
            << '\n';
  std::cout << "in this process: " << squares.size() << " squares\n";

  // A fresh start of the program for each worker: nothing is shared, each loads the table for itself.
  tandem::process_pool fresh({.max_workers = 1, .start = tandem::start_method::spawn});
  std::cout << fresh.submit(square_of, 7).get() << '\n';
  std::cout << "shared with the others: " << fresh.submit(was_loaded_by_my_parent).get() << '\n';
}
