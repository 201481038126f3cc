// Codecs of the standard's products, sums and owners: pair, tuple, optional, variant, smart pointers.
//
// Owns their tags. A shared_ptr arrives as an object of its own: who shared it with whom is not sent.
#ifndef TANDEM_DETAIL_CODEC_WRAPPERS_HPP
#define TANDEM_DETAIL_CODEC_WRAPPERS_HPP

#include <tandem/detail/codec_core.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace tandem {

template <class A, class B>
struct codec<std::pair<A, B>> {
  using parts = detail::types<A, B>;
  static constexpr std::size_t min_size() { return detail::min_size<A>() + detail::min_size<B>(); }

  static void encode(writer& out, const std::pair<A, B>& value) {
    codec<std::remove_cv_t<A>>::encode(out, value.first);
    codec<std::remove_cv_t<B>>::encode(out, value.second);
  }

  static std::pair<A, B> decode(reader& in) {
    return std::pair<A, B>{codec<std::remove_cv_t<A>>::decode(in), codec<std::remove_cv_t<B>>::decode(in)};
  }
};

template <class... Ts>
struct codec<std::tuple<Ts...>> {
  using parts = detail::types<Ts...>;
  static constexpr std::size_t min_size() { return (std::size_t{0} + ... + detail::min_size<Ts>()); }

  static void encode(writer& out, const std::tuple<Ts...>& value) {
    std::apply([&](const Ts&... items) { (codec<std::remove_cv_t<Ts>>::encode(out, items), ...); }, value);
  }

  static std::tuple<Ts...> decode([[maybe_unused]] reader& in) {
    return std::tuple<Ts...>{codec<std::remove_cv_t<Ts>>::decode(in)...};
  }
};

template <class T>
struct codec<std::optional<T>> {
  using parts = detail::types<T>;
  static constexpr std::size_t min_size() { return 1; }

  static void encode(writer& out, const std::optional<T>& value) {
    detail::encode_flag(out, value.has_value());
    if (value) codec<std::remove_cv_t<T>>::encode(out, *value);
  }

  static std::optional<T> decode(reader& in) {
    if (!detail::decode_flag(in, "an optional's tag")) return std::nullopt;
    return std::optional<T>(std::in_place, codec<std::remove_cv_t<T>>::decode(in));
  }
};

template <>
struct codec<std::monostate> {
  using parts = detail::types<>;
  static constexpr std::size_t min_size() { return 0; }
  static void encode(writer&, std::monostate) {}
  static std::monostate decode(reader&) { return {}; }
};

template <>
struct codec<std::nullopt_t> {
  using parts = detail::types<>;
  static constexpr std::size_t min_size() { return 0; }
  static void encode(writer&, std::nullopt_t) {}
  static std::nullopt_t decode(reader&) { return std::nullopt; }
};

namespace detail {
[[noreturn]] TANDEM_API void throw_valueless_variant();
}  // namespace detail

template <class... Ts>
struct codec<std::variant<Ts...>> {
  using variant = std::variant<Ts...>;
  using index = std::conditional_t<sizeof...(Ts) < 256, std::uint8_t, std::uint32_t>;
  using parts = detail::types<Ts...>;
  static constexpr std::size_t min_size() { return sizeof(index); }

  /// Throws not_portable_error for a variant that lost its value to an exception.
  static void encode(writer& out, const variant& value) {
    if (value.valueless_by_exception()) detail::throw_valueless_variant();
    out.write_value(static_cast<index>(value.index()));
    std::visit([&out]<class T>(const T& item) { codec<T>::encode(out, item); }, value);
  }

  static variant decode(reader& in) {
    const auto which = in.template read_value<index>();
    if (which >= sizeof...(Ts)) detail::throw_bad_byte("a variant's index", which);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      using make = variant (*)(reader&);
      static constexpr make table[] = {&decode_as<I>...};
      return table[which](in);
    }
    (std::index_sequence_for<Ts...>{});
  }

 private:
  template <std::size_t I>
  static variant decode_as(reader& in) {
    using item = std::variant_alternative_t<I, variant>;
    return variant(std::in_place_index<I>, codec<std::remove_cv_t<item>>::decode(in));
  }
};

namespace detail {

template <class T>
constexpr bool is_open_hierarchy() {
  if constexpr (complete<T>) {
    return std::is_polymorphic_v<T> && !std::is_final_v<T>;
  } else {
    return false;
  }
}

/// A class with virtual functions that others may derive from: what a pointer points to is possibly one of those.
template <class T>
inline constexpr bool may_point_to_derived = is_open_hierarchy<T>();

template <class Pointer, class T>
constexpr obstacle pointer_flaw() {
  if constexpr (std::is_array_v<T>) {
    return obstacle::array_pointer;
  } else if constexpr (std::is_void_v<T>) {
    return obstacle::pointer;
  } else if constexpr (may_point_to_derived<T>) {
    // cereal knows what derives from what, if it was told (cereal/types/polymorphic.hpp).
    return cereal_handles<Pointer> ? obstacle::none : obstacle::base_pointer;
  } else {
    return obstacle::none;
  }
}

template <class Pointer, class T>
struct pointer_codec {
  using value_type = std::remove_cv_t<T>;
  // Through cereal, what the pointer points to is cereal's business.
  using parts = std::conditional_t<may_point_to_derived<T>, types<>, types<T>>;
  static constexpr std::size_t min_size() { return may_point_to_derived<T> ? 0 : 1; }

  static void encode(writer& out, const Pointer& value) {
    if constexpr (may_point_to_derived<T>) {
      encode_with_cereal(out, value);
    } else {
      encode_flag(out, value != nullptr);
      if (value != nullptr) encode_nested<value_type>(out, *value);
    }
  }

 protected:
  // A function object and not a lambda: its body must not be instantiated for an abstract class.
  template <class Make>
  static Pointer decode_with(reader& in) {
    if constexpr (may_point_to_derived<T>) {
      return decode_with_cereal<Pointer>(in);
    } else {
      if (!decode_flag(in, "a pointer's tag")) return nullptr;
      return Make{}.template operator()<value_type>(in);
    }
  }
};

struct make_unique_from {
  template <class T>
  std::unique_ptr<T> operator()(reader& in) const {
    return std::unique_ptr<T>(new T(decode_nested<T>(in)));
  }
};
struct make_shared_from {
  template <class T>
  std::shared_ptr<T> operator()(reader& in) const {
    return std::make_shared<T>(decode_nested<T>(in));
  }
};

}  // namespace detail

template <class T, class Deleter>
struct codec<std::unique_ptr<T, Deleter>> : detail::pointer_codec<std::unique_ptr<T, Deleter>, T> {
  static constexpr detail::obstacle flaw = std::is_same_v<Deleter, std::default_delete<T>>
                                               ? detail::pointer_flaw<std::unique_ptr<T, Deleter>, T>()
                                               : detail::obstacle::deleter;

  static std::unique_ptr<T, Deleter> decode(reader& in) {
    return codec::template decode_with<detail::make_unique_from>(in);
  }
};

template <class T>
struct codec<std::shared_ptr<T>> : detail::pointer_codec<std::shared_ptr<T>, T> {
  static constexpr detail::obstacle flaw = detail::pointer_flaw<std::shared_ptr<T>, T>();

  static std::shared_ptr<T> decode(reader& in) {
    return codec::template decode_with<detail::make_shared_from>(in);
  }
};

}  // namespace tandem

#endif  // TANDEM_DETAIL_CODEC_WRAPPERS_HPP
