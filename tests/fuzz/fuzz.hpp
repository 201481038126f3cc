// What the targets share: the entry that libFuzzer calls, and how a target says that a promise is broken. Owns nothing.
#ifndef TANDEM_TESTS_FUZZ_FUZZ_HPP
#define TANDEM_TESTS_FUZZ_FUZZ_HPP

#include <tandem/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

// Each target defines it. Returns 0; aborts where a promise is broken.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tandem::fuzz {

/// Ends the process, so that libFuzzer keeps the input and ctest sees a failure.
inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// The next byte of the input, by which a target chooses; 0 behind the end.
inline unsigned choose(reader& in) { return in.remaining() == 0 ? 0U : in.read_value<std::uint8_t>(); }

/// What is left of the input.
inline std::span<const std::byte> rest(reader& in) { return in.take(in.remaining()); }

}  // namespace tandem::fuzz

#endif
