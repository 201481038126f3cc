// The names of functions, as the symbol tables of ELF files have them.
//
// Owns reading those tables. The file is read, not mapped: it may be replaced or cut meanwhile, and then a mapping would
// be a SIGBUS. Every number in it is checked.
#ifndef TANDEM_POSIX_SYMBOLS_HPP
#define TANDEM_POSIX_SYMBOLS_HPP

#include "posix/elf.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace tandem::posix {

/// A question and its answer.
struct symbol_query {
  std::uint64_t offset = 0;  ///< From the module's base.
  std::string name{};        ///< As the linker knows it (mangled); stays empty if there is none.
};

/// Looks for the function that each offset lies in, in one pass. Leaves names empty if the file cannot be read, is no
/// longer the module that was loaded, or has no tables. Some milliseconds for a program of a hundred thousand functions.
/// @throws std::bad_alloc
void find_symbols(const loaded_module& in, std::span<symbol_query> queries);

}  // namespace tandem::posix

#endif  // TANDEM_POSIX_SYMBOLS_HPP
