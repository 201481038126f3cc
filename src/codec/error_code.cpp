// std::error_code as (category, value). Categories are objects: they are named, and only the standard's are
// known.
#include <tandem/detail/codec_std.hpp>
#include <tandem/error.hpp>

#include <future>
#include <ios>
#include <string>

namespace tandem {

namespace {

const std::error_category* category_at(std::size_t index) {
  const std::error_category* const known[] = {&std::generic_category(), &std::system_category(),
                                              &std::iostream_category(), &std::future_category()};
  return index < std::size(known) ? known[index] : nullptr;
}

}  // namespace

void codec<std::error_code>::encode(writer& out, const std::error_code& value) {
  for (std::size_t i = 0; category_at(i) != nullptr; ++i) {
    if (*category_at(i) == value.category()) {
      out.write_value(static_cast<std::uint8_t>(i));
      out.write_value(value.value());
      return;
    }
  }
  throw not_portable_error(
      std::string("An error_code of the category \"") + value.category().name() +
      "\" cannot be sent to another process, which would have to find that category: send its "
      "value() and message() instead.");
}

std::error_code codec<std::error_code>::decode(reader& in) {
  const auto index = in.read_value<std::uint8_t>();
  const int value = in.read_value<int>();
  const std::error_category* const category = category_at(index);
  if (category == nullptr) detail::throw_bad_byte("an error_code's category", index);
  return {value, *category};
}

namespace detail {

void throw_valueless_variant() {
  throw not_portable_error(
      "A std::variant that lost its value to an exception (valueless_by_exception) cannot be sent to another "
      "process: give it a value first.");
}

void rethrow_cereal_error(const char* doing) {
  try {
    throw;
  } catch (const std::exception& error) {
    throw decode_error(std::string("cereal failed while ") + doing + " a message from another process: " +
                       error.what() + ". The two sides of a serialize function must do the same.");
  }
}

}  // namespace detail
}  // namespace tandem
