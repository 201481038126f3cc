// Whether an address means anything in this process.
//
// Owns one question to the kernel. Must not touch the memory itself.
#ifndef TANDEM_POSIX_MAPPED_HPP
#define TANDEM_POSIX_MAPPED_HPP

#include <cstdint>

namespace tandem::posix {

/// Returns true if the page of `address` is mapped into this process, readable or not. One system call.
/// Another thread may unmap it at once.
[[nodiscard]] bool is_mapped(std::uintptr_t address) noexcept;

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_MAPPED_HPP
