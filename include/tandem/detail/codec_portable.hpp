// Whether a value of a type can cross to another process, and if not, why not, in words.
//
// Owns the rules. Must never be a compile error itself: through `executor&` the question
// is asked about every type, and "no" becomes a not_portable_error at run time. Only require_portable() stops
// the compilation.
#ifndef TANDEM_DETAIL_CODEC_PORTABLE_HPP
#define TANDEM_DETAIL_CODEC_PORTABLE_HPP

#include <tandem/config.hpp>
#include <tandem/detail/codec_buffer.hpp>
#include <tandem/detail/codec_cereal.hpp>
#include <tandem/detail/codec_fields.hpp>
#include <tandem/detail/codec_obstacle.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace tandem {

template <class T>
struct codec;

/// Says that T may be sent as its bytes: `template <> inline constexpr bool tandem::enable_bytewise<T> =
/// true;`
///
/// For trivially copyable classes that tandem cannot look into. T must hold no pointers, references, file
/// descriptors or other things that mean nothing elsewhere, and every bit pattern must be safe to copy
/// around.
template <class T>
inline constexpr bool enable_bytewise = false;

namespace detail {

/// The obstacle and the name of the innermost type that has it.
struct verdict {
  obstacle what = obstacle::none;
  std::string_view type;
  constexpr explicit operator bool() const noexcept { return what == obstacle::none; }
};

/// Says it in a sentence that begins with the type's name and ends with what to do.
[[nodiscard]] TANDEM_API std::string explain(const verdict& why);

// Types that are refused whatever they look like.
template <class T>
inline constexpr obstacle refused =
    std::is_member_pointer_v<T>                         ? obstacle::member_pointer
    : std::is_function_v<std::remove_pointer_t<T>>      ? obstacle::function_pointer
    : std::is_pointer_v<T> || std::is_null_pointer_v<T> ? obstacle::pointer
    : std::is_reference_v<T>                            ? obstacle::reference
    : std::is_void_v<T>                                 ? obstacle::nothing
                                                        : obstacle::none;
template <class C, class Traits>
inline constexpr obstacle refused<std::basic_string_view<C, Traits>> = obstacle::view;
template <class T, std::size_t N>
inline constexpr obstacle refused<std::span<T, N>> = obstacle::view;
template <class T>
inline constexpr obstacle refused<std::initializer_list<T>> = obstacle::view;
template <class T>
inline constexpr obstacle refused<std::reference_wrapper<T>> = obstacle::reference_wrapper;
template <class Signature>
inline constexpr obstacle refused<std::function<Signature>> = obstacle::std_function;
template <class T>
inline constexpr obstacle refused<std::weak_ptr<T>> = obstacle::weak_pointer;

/// True for closure types, by their name: only messages depend on it.
template <class T>
constexpr bool looks_like_closure() {
  constexpr std::string_view name = type_name<T>();
  constexpr std::size_t gcc = name.rfind("<lambda(");
  constexpr std::size_t clang = name.rfind("(lambda at ");
  if constexpr (gcc != std::string_view::npos) {
    return name.ends_with('>') && name.find(">::", gcc) == std::string_view::npos;
  } else if constexpr (clang != std::string_view::npos) {
    return name.ends_with(')') && name.find(")::", clang) == std::string_view::npos;
  } else {
    return false;
  }
}

template <class T>
concept complete = requires {
  sizeof(T);
};

/// Somebody specialized codec<T>: this library for the standard's types, or the user.
template <class T>
concept has_codec = !requires {
  typename codec<T>::is_primary;
};

template <class T>
concept codec_is_complete = requires(writer& out, reader& in, const T& value) {
  codec<T>::encode(out, value);
  { codec<T>::decode(in) } -> std::same_as<T>;
};

template <class T, class... Seen>
constexpr verdict examine();

template <class T, class... Seen>
struct examine_all;
template <class... Parts, class... Seen>
struct examine_all<types<Parts...>, Seen...> {
  static constexpr verdict result() {
    verdict found;
    // Stops at the first one that fails.
    static_cast<void>((static_cast<bool>(found = examine<Parts, Seen...>()) && ...));
    return found;
  }
};

template <class T>
constexpr bool is_bytewise();

/// Members that are arrays are read in place, one member after the other: then none of them may be const.
template <class T, class... Fields>
constexpr bool can_be_decoded(types<Fields...>) {
  if constexpr ((std::is_array_v<Fields> || ...)) {
    return !(std::is_const_v<std::remove_all_extents_t<Fields>> || ...) || is_bytewise<T>();
  } else {
    return std::is_move_constructible_v<T>;
  }
}

/// The rules, in order. `Seen` are the aggregates that T was found in: a type that contains itself (through a
/// container or a smart pointer) is as portable as the rest of it.
template <class T, class... Seen>
constexpr verdict examine() {
  using U = std::remove_cv_t<T>;
  if constexpr ((std::is_same_v<U, Seen> || ...)) {
    return {};
  } else if constexpr (refused<U> != obstacle::none) {
    return {refused<U>, type_name<U>()};
  } else if constexpr (std::is_array_v<U>) {
    return examine<std::remove_all_extents_t<U>, Seen...>();
  } else if constexpr (!complete<U>) {
    return {obstacle::incomplete_type, type_name<U>()};
  } else if constexpr (has_codec<U>) {
    if constexpr (requires { typename codec<U>::parts; }) {
      if constexpr (requires { requires codec<U>::flaw != obstacle::none; }) {
        return {codec<U>::flaw, type_name<U>()};
      } else {
        return examine_all<typename codec<U>::parts, Seen...>::result();
      }
    } else if constexpr (codec_is_complete<U>) {
      return {};
    } else {
      return {obstacle::incomplete_codec, type_name<U>()};
    }
  } else if constexpr (enable_bytewise<U>) {
    return std::is_trivially_copyable_v<U> ? verdict{} : verdict{obstacle::not_bytewise, type_name<U>()};
  } else if constexpr (std::is_arithmetic_v<U> || std::is_enum_v<U>) {
    return {};
  } else if constexpr (std::is_union_v<U>) {
    return {obstacle::union_type, type_name<U>()};
  } else if constexpr (looks_like_closure<U>()) {
    return {obstacle::closure, type_name<U>()};
  } else if constexpr (cereal_handles<U>) {
    return {};
  } else if constexpr (std::is_aggregate_v<U>) {
    if constexpr (!visible_aggregate<U>) {
      return {obstacle::odd_aggregate, type_name<U>()};
    } else if constexpr (!can_be_decoded<U>(typename fields_of<U>::list{})) {
      return {obstacle::odd_aggregate, type_name<U>()};
    } else {
      return examine_all<typename fields_of<U>::list, Seen..., U>::result();
    }
  } else {
    return {obstacle::opaque, type_name<U>()};
  }
}

template <class T>
inline constexpr verdict portability = examine<T>();

template <class T>
inline constexpr bool is_portable = portability<T>.what == obstacle::none;

template <class T>
struct bytewise_fields;

/// A value of T is sent as its bytes, and arrays of T in one piece. Not for bool, which has bit patterns that
/// are no value: whatever contains one is taken apart and checked.
template <class T>
constexpr bool is_bytewise() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_array_v<U>) {
    return is_bytewise<std::remove_all_extents_t<U>>();
  } else if constexpr (!std::is_trivially_copyable_v<U> || std::is_same_v<U, bool>) {
    return false;
  } else if constexpr (std::is_enum_v<U>) {
    return !std::is_same_v<std::underlying_type_t<U>, bool>;
  } else if constexpr (has_codec<U>) {
    return requires { requires codec<U>::bytewise; };
  } else if constexpr (std::is_arithmetic_v<U> || enable_bytewise<U>) {
    return true;
  } else if constexpr (std::is_class_v<U> && std::is_aggregate_v<U> && !cereal_handles<U>) {
    if constexpr (visible_aggregate<U>) {
      return bytewise_fields<typename fields_of<U>::list>::value;
    } else {
      return false;
    }
  } else {
    return false;
  }
}

template <class... Fields>
struct bytewise_fields<types<Fields...>> {
  static constexpr bool value = (is_bytewise<Fields>() && ...);
};

template <class T>
inline constexpr bool bytewise = is_bytewise<T>();

template <class T>
struct min_size_of_fields;

/// Fewest bytes that a T takes in a message; 0 if that is not known.
template <class T>
constexpr std::size_t min_size() {
  using U = std::remove_cv_t<T>;
  if constexpr (bytewise<U>) {
    return sizeof(U);
  } else if constexpr (std::is_array_v<U>) {
    return sizeof(U) / sizeof(std::remove_all_extents_t<U>) * min_size<std::remove_all_extents_t<U>>();
  } else if constexpr (requires { codec<U>::min_size(); }) {
    return codec<U>::min_size();
  } else if constexpr (has_codec<U>) {
    return 0;
  } else if constexpr (std::is_same_v<U, bool> || std::is_enum_v<U>) {
    return 1;
  } else if constexpr (std::is_class_v<U> && std::is_aggregate_v<U> && !cereal_handles<U>) {
    return min_size_of_fields<typename fields_of<U>::list>::value;
  } else {
    return 0;
  }
}

template <class... Fields>
struct min_size_of_fields<types<Fields...>> {
  static constexpr std::size_t value = (std::size_t{0} + ... + min_size<Fields>());
};

/// Stops the compilation with the reason if T is not portable.
template <class T>
constexpr void require_portable() {
  require_no_obstacle<T, portability<T>.what>();
}

}  // namespace detail

/// A value of T can be sent to another process and comes out equal there.
///
/// Never a compile error for a complete type. Ask only after T's codec or serialize function was declared:
/// the answer is remembered.
template <class T>
concept portable = detail::is_portable<T>;

}  // namespace tandem

#endif  // TANDEM_DETAIL_CODEC_PORTABLE_HPP
