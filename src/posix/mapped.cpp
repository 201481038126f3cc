#include "posix/mapped.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace tandem::posix {

bool is_mapped(std::uintptr_t address) noexcept {
  const auto page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char resident = 0;
  // ENOMEM is the answer "not mapped".
  void* const page =
      reinterpret_cast<void*>(address & ~(page_size - 1));  // NOLINT(performance-no-int-to-ptr)
  return ::mincore(page, page_size, &resident) == 0;
}

}  // namespace tandem::posix
