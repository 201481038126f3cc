// CPU time as the kernel counts it in resource usage.
#ifndef TANDEM_COMPARE_CPU_SECONDS_HPP
#define TANDEM_COMPARE_CPU_SECONDS_HPP

#include <sys/resource.h>

namespace compare {

/// In user code and in the kernel.
[[nodiscard]] inline double cpu_seconds(const rusage& used) {
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

}  // namespace compare

#endif
