// How much memory a target takes from operator new. Owns the count; allocation.cpp replaces the operators.
#ifndef TANDEM_TESTS_FUZZ_ALLOCATION_HPP
#define TANDEM_TESTS_FUZZ_ALLOCATION_HPP

#include <cstddef>

namespace tandem::fuzz {

/// Bytes that this process has asked for since it began, given back or not.
[[nodiscard]] std::size_t allocated() noexcept;

}  // namespace tandem::fuzz

#endif
