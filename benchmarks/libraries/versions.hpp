// Which versions of the other libraries are measured.
#ifndef TANDEM_BENCH_LIBRARIES_VERSIONS_HPP
#define TANDEM_BENCH_LIBRARIES_VERSIONS_HPP

#include <string>
#include <vector>

namespace libraries {

struct version {
  std::string library;
  std::string number;
};

/// Of those that this program was built with, and of Python if there is one.
[[nodiscard]] std::vector<version> versions();

}  // namespace libraries

#endif
