#include "libraries/versions.hpp"

#include <oneapi/tbb/version.h>

#include <boost/version.hpp>
#include <chrono>
#include <exception>

#include "bench/subprocess.hpp"
#ifdef TANDEM_BENCH_TASKFLOW
#include <taskflow/taskflow.hpp>
#endif
#ifdef TANDEM_BENCH_BS_THREAD_POOL
#include <BS_thread_pool.hpp>
#endif
#ifdef TANDEM_BENCH_LIBFORK
#include <libfork.hpp>
#endif

namespace libraries {
namespace {

[[maybe_unused]] std::string dotted(int a, int b, int c) {
  return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c);
}

std::string python() {
  if (!bench::is_installed("python3")) return {};
  try {
    return bench::output_of({"python3", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3], end='')"},
                            std::chrono::seconds(10));
  } catch (const std::exception&) {  // then there is none that works
  }
  return {};
}

}  // namespace

std::vector<version> versions() {
  std::vector<version> all{
      {"oneTBB", TBB_runtime_version()},
      {"Boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
#ifdef __GLIBCXX__
      {"libstdc++", std::to_string(_GLIBCXX_RELEASE)},
#endif
#ifdef TANDEM_BENCH_TASKFLOW
      {"Taskflow", dotted(TF_VERSION / 100000, TF_VERSION / 100 % 1000, TF_VERSION % 100)},
#endif
#ifdef TANDEM_BENCH_BS_THREAD_POOL
      {"BS::thread_pool",
       dotted(BS_THREAD_POOL_VERSION_MAJOR, BS_THREAD_POOL_VERSION_MINOR, BS_THREAD_POOL_VERSION_PATCH)},
#endif
#ifdef TANDEM_BENCH_LIBFORK
      {"libfork", dotted(LF_VERSION_MAJOR, LF_VERSION_MINOR, LF_VERSION_PATCH)},
#endif
  };
  if (const std::string number = python(); !number.empty()) all.push_back({"Python", number});
  return all;
}

}  // namespace libraries
