// Where the calling thread's stack ends.
//
// Owns nothing; asks the C library.
#ifndef TANDEM_POSIX_STACK_HPP
#define TANDEM_POSIX_STACK_HPP

#include <cstddef>
#include <cstdint>

namespace tandem::posix {

/// A thread's stack: it grows from `top` down to `bottom`. Both 0 if the C library does not tell.
struct stack_bounds {
  std::uintptr_t bottom = 0;
  std::uintptr_t top = 0;

  /// Returns how many bytes lie between the caller's frame and the bottom.
  [[nodiscard]] std::size_t left() const noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    return here > bottom ? here - bottom : 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return top - bottom; }
};

/// Returns the bounds of the calling thread's stack. For a process's first thread this reads /proc.
[[nodiscard]] stack_bounds current_stack() noexcept;

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_STACK_HPP
