// 16 MiB to a worker and back. Beside it, what has to be done at least if the bytes are copied once each way: two memcpy.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/stopwatch.hpp"
#include "bench/workloads.hpp"
#include "process_pools/python.hpp"
#include "process_pools/warm_up.hpp"

namespace {

constexpr std::size_t size = std::size_t{16} << 20U;

std::string echo(std::string text) { return text; }

/// Milliseconds: the median of the later ones, and the first, for which memory comes from the kernel.
template <class Trip>
bench::figures measure(const bench::conditions& c, Trip trip) {
  const auto time = [&] {
    const bench::stopwatch watch;
    trip();
    return watch.milliseconds();
  };
  const double first = time();
  std::vector<double> later(c.pick<std::size_t>(51, 3));
  for (double& one : later) one = time();
  std::nth_element(later.begin(), later.begin() + static_cast<std::ptrdiff_t>(later.size() / 2), later.end());
  return {later[later.size() / 2], first};
}

bench::figures run_tandem(const bench::conditions& c) {
  tandem::process_pool pool({.max_workers = c.workers});
  process_pools::warm_up(pool, c.workers);
  std::string text(size, 'x');
  return measure(c, [&] {
    text = pool.submit(echo, std::move(text)).get();  // moved: a copy on the way in would be a fifth one
    process_pools::check(text.size() == size && text.front() == 'x' && text.back() == 'x');
  });
}

// Into memory that has been written before.
bench::figures run_two_copies(const bench::conditions& c) {
  const std::string text(size, 'x');
  std::string there(size, 'y');
  std::string back(size, 'z');
  return measure(c, [&] {
    std::memcpy(there.data(), text.data(), size);
    std::memcpy(back.data(), there.data(), size);
    process_pools::check(back.front() == 'x' && back.back() == 'x');
  });
}

// The second one into memory that malloc has to get, as whoever receives a new vector or string does.
bench::figures run_two_copies_into_new_memory(const bench::conditions& c) {
  const std::string text(size, 'x');
  std::string there(size, 'y');
  return measure(c, [&] {
    std::memcpy(there.data(), text.data(), size);
    const std::unique_ptr<char[]> back(new char[size]);
    std::memcpy(back.get(), there.data(), size);
    process_pools::check(back[0] == 'x' && back[size - 1] == 'x');
  });
}

}  // namespace

bench::workload bench::process_echo(const conditions& c) {
  using enum process_pools::python_library;
  workload work{
      .name = "process_echo",
      .title = "a string of 16 MiB to a process and back (Python: bytes)",
      .metrics = {{"each", "ms"}, {"the first", "ms"}},
      .contestants = {{"tandem", [c] { return run_tandem(c); }},
                      {"for scale: two memcpy", [c] { return run_two_copies(c); }},
                      {"for scale: into new memory", [c] { return run_two_copies_into_new_memory(c); }}},
      .reference = "tandem",
      .rounds = 5};
  process_pools::add_python(work, c, {executor, pool, joblib, mpi4py});
  return work;
}
