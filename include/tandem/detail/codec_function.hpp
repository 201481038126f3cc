// How callables cross a process boundary: as the callable of a call, or as one of its arguments.
//
// Owns what is no portable value but may still be sent to a worker, because that direction is trusted:
// function pointers and member pointers (by name) and function objects without state (as nothing at all).
// They may not be results: an address that comes back from a worker would have to be believed.
#ifndef TANDEM_DETAIL_CODEC_FUNCTION_HPP
#define TANDEM_DETAIL_CODEC_FUNCTION_HPP

#include <tandem/detail/codec_core.hpp>
#include <tandem/detail/function_name.hpp>

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace tandem::detail {

/// A lambda without captures, a function object without members: all values are equal, so none needs to be
/// sent.
template <class T>
concept stateless = std::is_class_v<T> && std::is_empty_v<T> && !std::is_polymorphic_v<T> &&
                    (std::is_trivially_copyable_v<T> || std::is_default_constructible_v<T>);

template <class T>
concept function_pointer = std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>;

/// Whether T may be an argument or a callable, and if not, why not.
template <class T>
constexpr verdict examine_argument() {
  constexpr verdict as_value = portability<T>;
  if constexpr (as_value.what == obstacle::none || function_pointer<T> || std::is_member_pointer_v<T> ||
                stateless<T>) {
    return {};
  } else {
    return as_value;
  }
}

template <class T>
inline constexpr verdict argument_portability = examine_argument<T>();

// Of functions; null stays null.
TANDEM_API void encode_code_pointer(writer& out, const void* code);
[[nodiscard]] TANDEM_API const void* decode_code_pointer(reader& in);
// Of the member function pointer at `pointer`, which is null before it is decoded.
TANDEM_API void encode_member_function(writer& out, const void* pointer, std::size_t size);
TANDEM_API void decode_member_function(reader& in, void* pointer, std::size_t size);

/// As codec<T>, for arguments and callables.
template <class T>
struct argument_codec {
  static void encode([[maybe_unused]] writer& out, [[maybe_unused]] const T& value) {
    if constexpr (portable<T>) {
      codec<T>::encode(out, value);
    } else if constexpr (function_pointer<T>) {
      encode_code_pointer(out, reinterpret_cast<const void*>(value));
    } else if constexpr (std::is_member_function_pointer_v<T>) {
      encode_member_function(out, &value, sizeof(T));
    } else if constexpr (std::is_member_object_pointer_v<T>) {
      out.write(&value, sizeof(T));  // an offset, not an address
    } else {
      static_assert(stateless<T>);
    }
  }

  static T decode([[maybe_unused]] reader& in) {
    if constexpr (portable<T>) {
      return codec<T>::decode(in);
    } else if constexpr (function_pointer<T>) {
      return reinterpret_cast<T>(const_cast<void*>(decode_code_pointer(in)));
    } else if constexpr (std::is_member_function_pointer_v<T>) {
      T value = nullptr;
      decode_member_function(in, &value, sizeof(T));
      return value;
    } else if constexpr (std::is_member_object_pointer_v<T>) {
      T value = nullptr;
      in.read(&value, sizeof(T));
      return value;
    } else if constexpr (std::is_default_constructible_v<T>) {
      return T{};
    } else {
      // There is only one value, and it has no bytes.
      raw_value<T> raw;
      return raw.value;
    }
  }
};

}  // namespace tandem::detail

#endif  // TANDEM_DETAIL_CODEC_FUNCTION_HPP
