// The program and shared libraries loaded into this process, and what identifies their content.
//
// Owns walking the loader's list. Must not interpret code or symbols. Two processes that agree on a module's
// identity have the same function at the same offset from its base.
#ifndef TANDEM_POSIX_ELF_HPP
#define TANDEM_POSIX_ELF_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem::posix {

/// What loaded_module::identity was made of.
enum class identity_kind : std::uint8_t {
  none,      ///< Nothing could be found: the module must not be trusted to be the same elsewhere.
  build_id,  ///< The GNU build-id note that the linker wrote: a hash of the content.
  file,  ///< No build-id: device, inode, size and modification time of the file; holds on this machine only.
};

/// One loaded ELF file.
struct loaded_module {
  struct range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;  ///< One past the last byte.
    bool executable = false;
  };

  std::string path;  ///< As the loader knows it; for the program itself its resolved path.
  std::uintptr_t base =
      0;  ///< What was added to the file's addresses: addresses minus base are the same everywhere.
  std::vector<range> ranges;  ///< The loaded segments.
  bool is_program = false;    ///< The executable itself, not a shared library.
  identity_kind kind = identity_kind::none;
  std::vector<std::byte> identity;  ///< Compare together with kind.

  [[nodiscard]] bool contains(std::uintptr_t address) const noexcept;
  [[nodiscard]] bool contains_code(std::uintptr_t address) const noexcept;  ///< In an executable segment.

  /// Returns the identity in hexadecimal, for messages.
  [[nodiscard]] std::string identity_text() const;
};

/// Returns all loaded modules, the program first. A snapshot: dlopen and dlclose may change it at once.
/// Thread-safe; takes the loader's lock for a moment. Not cached: tens of microseconds.
[[nodiscard]] std::vector<loaded_module> loaded_modules();

/// Returns the module that `address` lies in; nothing for addresses outside of all (heap, stack, generated
/// code).
[[nodiscard]] std::optional<loaded_module> find_module(const void* address);

namespace detail {

/// Returns the GNU build-id among the `size` bytes of ELF notes; empty if there is none, or if a length in
/// them does not fit. `alignment` is that of the segment: 4 or 8.
[[nodiscard]] std::vector<std::byte> build_id_in(const std::byte* notes, std::size_t size,
                                                 std::size_t alignment);

}  // namespace detail

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_ELF_HPP
