// Type names for people.
#ifndef TANDEM_CODEC_TYPE_NAMES_HPP
#define TANDEM_CODEC_TYPE_NAMES_HPP

#include <string>
#include <string_view>

namespace tandem::detail {

/// Returns the readable form of type_info::name(), or the name itself if it has none.
[[nodiscard]] std::string demangle(const char* name);

/// If `name`, as of type_info::name(), is what std::throw_with_nested makes of an E, returns the name of E;
/// else `name`.
[[nodiscard]] std::string_view without_nesting(std::string_view name);

}  // namespace tandem::detail

#endif  // TANDEM_CODEC_TYPE_NAMES_HPP
