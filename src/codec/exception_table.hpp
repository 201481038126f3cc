// The exception types that cross process boundaries as themselves, by their name.
//
// Owns the table: the standard's types, tandem's, and those registered by the program. The names are those of
// std::type_info, which both sides share because they run the same build.
#ifndef TANDEM_CODEC_EXCEPTION_TABLE_HPP
#define TANDEM_CODEC_EXCEPTION_TABLE_HPP

#include <tandem/detail/codec_exception.hpp>

#include <optional>
#include <string_view>

namespace tandem::detail {

/// What the table tells of a type: the name that it has on the wire, and how to encode and decode it.
struct exception_entry {
  std::string_view name;
  void (*encode)(writer& out, const std::exception_ptr& error);
  std::exception_ptr (*decode)(reader& in, std::string trace, const std::exception_ptr& nested);
};

/// Finds an entry by the name of the exception's type: an entry's own, or that of a variety of it that
/// decoding makes (with a trace, with words of its own). Thread-safe.
[[nodiscard]] std::optional<exception_entry> find_exception(std::string_view type_name);

}  // namespace tandem::detail

#endif  // TANDEM_CODEC_EXCEPTION_TABLE_HPP
