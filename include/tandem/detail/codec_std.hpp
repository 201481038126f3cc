// Codecs of the standard's smaller value types: chrono, complex, bitset, filesystem::path, error_code.
//
// Owns nothing subtle. complex and path are recognized by what they offer, so that nobody who does not use
// them pays for including <complex> and <filesystem>.
#ifndef TANDEM_DETAIL_CODEC_STD_HPP
#define TANDEM_DETAIL_CODEC_STD_HPP

#include <tandem/detail/codec_containers.hpp>

#include <bitset>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <type_traits>

namespace tandem {

template <class Rep, class Period>
struct codec<std::chrono::duration<Rep, Period>> {
  using duration = std::chrono::duration<Rep, Period>;
  using parts = detail::types<Rep>;
  static constexpr bool bytewise = detail::bytewise<Rep>;
  static constexpr std::size_t min_size() { return detail::min_size<Rep>(); }
  static void encode(writer& out, const duration& value) { codec<Rep>::encode(out, value.count()); }
  static duration decode(reader& in) { return duration(codec<Rep>::decode(in)); }
};

/// Steady time points too: both processes run on the machine whose clock it is.
template <class Clock, class Duration>
struct codec<std::chrono::time_point<Clock, Duration>> {
  using time_point = std::chrono::time_point<Clock, Duration>;
  using parts = detail::types<Duration>;
  static constexpr bool bytewise = detail::bytewise<Duration>;
  static constexpr std::size_t min_size() { return detail::min_size<Duration>(); }
  static void encode(writer& out, const time_point& value) {
    codec<Duration>::encode(out, value.time_since_epoch());
  }
  static time_point decode(reader& in) { return time_point(codec<Duration>::decode(in)); }
};

// Dates: small numbers, of which every one is a value (though not every value is ok()).
template <>
inline constexpr bool enable_bytewise<std::chrono::day> = true;
template <>
inline constexpr bool enable_bytewise<std::chrono::month> = true;
template <>
inline constexpr bool enable_bytewise<std::chrono::year> = true;
template <>
inline constexpr bool enable_bytewise<std::chrono::weekday> = true;
template <>
inline constexpr bool enable_bytewise<std::chrono::year_month_day> = true;

namespace detail {

/// std::complex and its like: two numbers and nothing else.
template <class T>
concept complex_like = std::is_class_v<T> && std::is_trivially_copyable_v<T> && requires(const T& value) {
  typename T::value_type;
  requires std::is_arithmetic_v<typename T::value_type>;
  requires sizeof(T) == 2 * sizeof(typename T::value_type);
  { value.real() } -> std::same_as<typename T::value_type>;
  { value.imag() } -> std::same_as<typename T::value_type>;
};

/// std::filesystem::path and boost's.
template <class T>
concept path_like = std::is_class_v<T> && requires(const T& value, typename T::string_type text) {
  T::preferred_separator;
  { value.native() } -> std::same_as<const typename T::string_type&>;
  { value.root_directory() } -> std::same_as<T>;
  T(std::move(text));
};

}  // namespace detail

template <detail::complex_like T>
struct codec<T> {
  using parts = detail::types<typename T::value_type>;
  static constexpr bool bytewise = true;
  static constexpr std::size_t min_size() { return sizeof(T); }
  static void encode(writer& out, const T& value) { out.write(&value, sizeof(T)); }
  static T decode(reader& in) { return detail::decode_bytes<T>(in); }
};

template <detail::path_like T>
struct codec<T> {
  using string = typename T::string_type;
  using parts = detail::types<string>;
  static constexpr std::size_t min_size() { return detail::min_size<string>(); }
  static void encode(writer& out, const T& value) { codec<string>::encode(out, value.native()); }
  static T decode(reader& in) { return T(codec<string>::decode(in)); }
};

/// Eight to the byte; the last byte's unused bits are ignored.
template <std::size_t N>
struct codec<std::bitset<N>> {
  using parts = detail::types<>;
  static constexpr std::size_t min_size() { return (N + 7) / 8; }

  static void encode(writer& out, const std::bitset<N>& value) {
    for (std::size_t i = 0; i < N; i += 8) {
      unsigned packed = 0;
      for (std::size_t bit = 0; bit < 8 && i + bit < N; ++bit) packed |= (value[i + bit] ? 1U : 0U) << bit;
      out.write_value(static_cast<std::uint8_t>(packed));
    }
  }

  static std::bitset<N> decode(reader& in) {
    const auto packed = in.take((N + 7) / 8);
    std::bitset<N> value;
    for (std::size_t i = 0; i < N; ++i) {
      value[i] = (std::to_integer<unsigned>(packed[i / 8]) >> (i % 8) & 1U) != 0;
    }
    return value;
  }
};

/// Of the standard categories (generic, system, iostream, future), which have the same names everywhere.
template <>
struct codec<std::error_code> {
  using parts = detail::types<>;
  static constexpr std::size_t min_size() { return sizeof(int) + 1; }
  /// Throws not_portable_error for a code of any other category.
  TANDEM_API static void encode(writer& out, const std::error_code& value);
  TANDEM_API static std::error_code decode(reader& in);
};

}  // namespace tandem

#endif  // TANDEM_DETAIL_CODEC_STD_HPP
