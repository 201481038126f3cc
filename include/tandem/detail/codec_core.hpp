// codec<T>: how a value is written and read. The primary template, for everything that is not a class of the
// standard library: scalars, plain data, aggregates, and what cereal serializes.
//
// Owns choosing the way. The format is that of this machine and build: both sides are the same program.
#ifndef TANDEM_DETAIL_CODEC_CORE_HPP
#define TANDEM_DETAIL_CODEC_CORE_HPP

#include <tandem/detail/codec_portable.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace tandem {

/// How values of T cross a process boundary. Specialize it for a class of yours:
///
///     template <>
///     struct tandem::codec<point> {
///       static void encode(tandem::writer& out, const point& p) { ... }
///       static point decode(tandem::reader& in) { ... }
///     };
///
/// `encode` appends to `out`; `decode` reads exactly the same bytes and throws decode_error for any others,
/// however broken they are. Helpers: `tandem::encode(out, member)`, `tandem::decode<Member>(in)`. A codec may
/// also have a `static constexpr std::size_t min_size()`, the fewest bytes that a value takes: it makes
/// containers of T check their lengths better. Must be visible wherever T is first used with tandem.
template <class T>
struct codec {
  using is_primary = void;

  static void encode(writer& out, const T& value);
  static T decode(reader& in);
};

namespace detail {

/// A codec that the user wrote: it may contain itself, by way of pointers and containers, and nobody but its
/// callers counts how deep.
template <class T>
inline constexpr bool has_users_codec = has_codec<T> && !requires {
  typename codec<T>::parts;
}
&&!bytewise<T>;

/// One value inside another, or a whole one.
template <class T>
void encode_nested(writer& out, const T& value) {
  if constexpr (has_users_codec<T>) {
    const nesting<writer> level(out);
    codec<T>::encode(out, value);
  } else {
    codec<T>::encode(out, value);
  }
}
template <class T>
[[nodiscard]] T decode_nested(reader& in) {
  if constexpr (has_users_codec<T>) {
    const nesting<reader> level(in);
    return codec<T>::decode(in);
  } else {
    return codec<T>::decode(in);
  }
}

}  // namespace detail

/// Appends `value` to `out`. Throws what its codec throws, and std::bad_alloc.
template <class T>
void encode(writer& out, const T& value) {
  if constexpr (!portable<T>) {
    detail::require_portable<T>();
  } else {
    detail::encode_nested<T>(out, value);
  }
}

/// Reads a T from `in`. Throws decode_error if the bytes are no T.
template <class T>
[[nodiscard]] T decode(reader& in) {
  if constexpr (!portable<T>) {
    detail::require_portable<T>();
    return codec<T>::decode(in);
  } else {
    return detail::decode_nested<std::remove_cv_t<T>>(in);
  }
}

namespace detail {

/// Storage to copy bytes into that become a T without its constructor.
template <class T>
union raw_value {
  static_assert(std::is_trivially_copyable_v<T>);
  raw_value() noexcept {}
  std::remove_cv_t<T> value;
};

template <class T>
[[nodiscard]] T decode_bytes(reader& in) {
  raw_value<T> raw;
  in.read(static_cast<void*>(std::addressof(raw.value)), sizeof(T));
  return raw.value;
}

/// Stands where a static_assert has failed already. Not defined.
template <class T>
T never_decoded();

[[nodiscard]] inline bool decode_flag(reader& in, const char* what = "a bool") {
  const auto byte = in.read_value<std::uint8_t>();
  if (byte > 1) throw_bad_byte(what, byte);
  return byte != 0;
}

inline void encode_flag(writer& out, bool flag) { out.write_value(static_cast<std::uint8_t>(flag ? 1 : 0)); }

template <class Field>
void encode_field(writer& out, const Field& field) {
  if constexpr (bytewise<Field>) {
    out.write(std::addressof(field), sizeof(field));
  } else if constexpr (std::is_array_v<Field>) {
    for (const auto& item : field) encode_field(out, item);
  } else {
    codec<Field>::encode(out, field);
  }
}

template <class Field>
void decode_field(reader& in, Field& field) {
  if constexpr (bytewise<Field>) {
    in.read(static_cast<void*>(std::addressof(field)), sizeof(field));
  } else if constexpr (std::is_array_v<Field>) {
    for (auto& item : field) decode_field(in, item);
  } else {
    field = codec<Field>::decode(in);
  }
}

template <class T>
void encode_aggregate(writer& out, const T& value) {
  const nesting<writer> level(out);
  // Members arrive by const reference, so bit-fields as copies.
  visit_fields(value, [&out]<class... Fields>(types<Fields...>, const auto&... fields) {
    (encode_field<std::remove_cv_t<Fields>>(out, fields), ...);
  });
}

template <class T, class... Fields>
[[nodiscard]] T decode_aggregate(reader& in, types<Fields...>) {
  const nesting<reader> level(in);
  if constexpr ((std::is_array_v<Fields> || ...)) {
    // An array member cannot be initialized from a function's result.
    T value;  // without braces: clang 14 crashes on them if T has a two-dimensional array of strings
    visit_fields(value, [&in](auto, auto&... fields) { (decode_field(in, fields), ...); });
    return value;
  } else {
    // A braced list is evaluated from left to right; members may be const, move-only or bit-fields.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // int to a bit-field that was an int when it was encoded
    return T{codec<std::remove_cv_t<Fields>>::decode(in)...};
#pragma GCC diagnostic pop
  }
}

/// The standard containers of plain data, and strings.
template <class T>
constexpr bool goes_around_cereal() {
  if constexpr (!std::is_class_v<T> || !has_codec<T>) {
    return false;
  } else if constexpr (requires { requires codec<T>::bulk; }) {
    return portable<T>;
  } else {
    return portable<T> && !cereal::traits::is_output_serializable<T, cereal_writer>::value;
  }
}

}  // namespace detail

template <class T>
void codec<T>::encode(writer& out, const T& value) {
  static_assert(!std::is_const_v<T>);
  if constexpr (!portable<T>) {
    detail::require_portable<T>();
  } else if constexpr (detail::bytewise<T>) {
    out.write(static_cast<const void*>(std::addressof(value)), sizeof(T));
  } else if constexpr (std::is_same_v<T, bool>) {
    detail::encode_flag(out, value);
  } else if constexpr (std::is_enum_v<T>) {
    detail::encode_flag(out, static_cast<bool>(value));  // only enums of bool are not bytewise
  } else if constexpr (detail::cereal_handles<T>) {
    detail::encode_with_cereal(out, value);
  } else {
    detail::encode_aggregate(out, value);
  }
}

template <class T>
T codec<T>::decode(reader& in) {
  if constexpr (!portable<T>) {
    detail::require_portable<T>();
    return detail::never_decoded<T>();
  } else if constexpr (detail::bytewise<T>) {
    return detail::decode_bytes<T>(in);
  } else if constexpr (std::is_same_v<T, bool>) {
    return detail::decode_flag(in);
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(detail::decode_flag(in));
  } else if constexpr (detail::cereal_handles<T>) {
    return detail::decode_with_cereal<T>(in);
  } else {
    return detail::decode_aggregate<T>(in, typename detail::fields_of<T>::list{});
  }
}

}  // namespace tandem

#endif  // TANDEM_DETAIL_CODEC_CORE_HPP
