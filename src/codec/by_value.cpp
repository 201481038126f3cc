// Finds addresses among the bytes of a closure. A by-reference capture is a pointer that no type tells of.
#include <tandem/by_value.hpp>
#include <tandem/error.hpp>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "posix/mapped.hpp"

namespace tandem::detail {

namespace {

// Programs, libraries, heap and stacks lie above this (PIE, 47 and 48 bit address spaces); numbers that are
// no addresses mostly lie below, so they cost no system call. The sanitizers' shadow memory, which maps
// terabytes, lies below too.
constexpr std::uintptr_t lowest_suspect = std::uintptr_t{1} << 44;
constexpr std::uintptr_t highest_suspect = std::uintptr_t{1} << 48;

}  // namespace

void refuse_addresses(const void* bytes, std::size_t size, std::string_view type) {
  const auto* const begin = static_cast<const char*>(bytes);
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= size; at += sizeof(std::uintptr_t)) {
    std::uintptr_t word = 0;
    std::memcpy(&word, begin + at, sizeof(word));
    if (word < lowest_suspect || word >= highest_suspect || !posix::is_mapped(word)) continue;
    char hex[24];
    static_cast<void>(std::snprintf(hex, sizeof(hex), "%#llx", static_cast<unsigned long long>(word)));
    throw not_portable_error(
        "tandem::by_value: what `" + std::string(type) + "` captures at byte " + std::to_string(at) + " is " +
        hex +
        ", an address in this process, which means nothing in another one. It probably captures "
        "by reference ([&]) or captures a pointer: capture values ([=]), or pass them as "
        "arguments. If it is a number, pass it as an argument.");
  }
}

}  // namespace tandem::detail
