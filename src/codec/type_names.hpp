// Type names for people.
#ifndef TANDEM_CODEC_TYPE_NAMES_HPP
#define TANDEM_CODEC_TYPE_NAMES_HPP

#include <string>
#include <typeinfo>

namespace tandem::detail {

/// Returns the readable form of type_info::name(), or the name itself if it has none.
[[nodiscard]] std::string demangle(const char* name);

/// If `type` is what std::throw_with_nested makes of an E, returns the type of E; else `type`.
[[nodiscard]] const std::type_info& without_nesting(const std::type_info& type) noexcept;

}  // namespace tandem::detail

#endif  // TANDEM_CODEC_TYPE_NAMES_HPP
