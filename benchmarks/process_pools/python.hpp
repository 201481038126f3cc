// Python's process pools, and those of its packages that Debian has, as contestants: python.py beside this file does the work.
#ifndef TANDEM_BENCH_PROCESS_POOLS_PYTHON_HPP
#define TANDEM_BENCH_PROCESS_POOLS_PYTHON_HPP

#include <initializer_list>

#include "bench/workload.hpp"

namespace process_pools {

enum class python_library { executor, pool, joblib, mpi4py };

/// Adds those of `libraries` that are installed to the contestants of `to`, whose name python.py must know, and the others
/// to those that are absent.
void add_python(bench::workload& to, const bench::conditions& c,
                std::initializer_list<python_library> libraries);

}  // namespace process_pools

#endif
