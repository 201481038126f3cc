#include "process_pools/python.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bench/subprocess.hpp"

namespace process_pools {
namespace {

// Debian's, which has Debian's packages, and not another one that is in PATH before it.
constexpr const char* interpreter = "/usr/bin/python3";

struct description {
  const char* name;
  const char* in_script;  // how python.py calls it
  const char* package;    // Debian's
  const char* folder;     // what the package brings; empty: it comes with Python
};

description describe(python_library library) {
  switch (library) {
    case python_library::executor:
      return {"Python ProcessPoolExecutor", "executor", "python3", ""};
    case python_library::pool:
      return {"Python multiprocessing.Pool", "pool", "python3", ""};
    case python_library::joblib:
      return {"joblib.Parallel", "joblib", "python3-joblib", "/usr/lib/python3/dist-packages/joblib"};
    case python_library::mpi4py:
      break;
  }
  return {"mpi4py.futures", "mpi4py", "python3-mpi4py", "/usr/lib/python3/dist-packages/mpi4py"};
}

bool is_there(python_library library) {
  const std::filesystem::path folder = describe(library).folder;
  return std::filesystem::exists(interpreter) && (folder.empty() || std::filesystem::exists(folder)) &&
         (library != python_library::mpi4py || bench::is_installed("mpiexec"));
}

std::vector<std::string> command(const std::string& workload, python_library library,
                                 const bench::conditions& c) {
  std::vector<std::string> words;
  const auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  if (library == python_library::mpi4py) {
    // One process is the master. Open MPI counts it as a user of a CPU, and will not be run by root unless told twice.
    add({"env", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "mpiexec", "--oversubscribe",
         "-n", std::to_string(c.workers + 1)});
  }
  add({interpreter});
  if (library == python_library::mpi4py) add({"-m", "mpi4py.futures"});
  add({TANDEM_BENCH_PYTHON_PROCESS_POOLS, workload, describe(library).in_script, std::to_string(c.workers),
       c.quick ? "quick" : "full"});
  return words;
}

}  // namespace

void add_python(bench::workload& to, const bench::conditions& c,
                std::initializer_list<python_library> libraries) {
  for (const python_library library : libraries) {
    const description about = describe(library);
    if (!is_there(library)) {
      to.absent.push_back(std::string(about.name) + " (" + about.package + ")");
      continue;
    }
    to.contestants.push_back({about.name, [words = command(to.name, library, c)] {
                                return bench::figures_in(bench::output_of(words, std::chrono::seconds(240)));
                              }});
  }
}

}  // namespace process_pools
