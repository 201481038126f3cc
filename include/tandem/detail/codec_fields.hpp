// What an aggregate is made of: the types of its members, and access to each.
//
// Owns deciding whether members can be seen at all. Asked about any type (`executor&` asks for every callable
// and argument), it must never be a compile error: where it cannot see, aggregate_shape says so. That rules
// out Boost.PFR, which stops the compilation at base classes and bit-fields and miscounts C arrays; see
// src/codec/README.md. Must not know what members are for.
#ifndef TANDEM_DETAIL_CODEC_FIELDS_HPP
#define TANDEM_DETAIL_CODEC_FIELDS_HPP

#include <tandem/detail/codec_bind.hpp>

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tandem::detail {

template <class T>
constexpr auto signature_with_type() {
  return std::string_view(__PRETTY_FUNCTION__);
}

/// Returns the name of T as the compiler writes it.
template <class T>
constexpr std::string_view type_name() {
  constexpr std::string_view whole = signature_with_type<T>();
  constexpr std::size_t begin = whole.find("T = ") + 4;
  return whole.substr(begin, whole.size() - begin - 1);
}

/// True for unions and for types without a name. Members of such types cannot be bound when they are
/// anonymous themselves (`struct { union { int i; float f; }; }`), and whether they are cannot be found out.
template <class T>
concept union_or_unnamed = std::is_union_v<T> ||
    (std::is_class_v<T> && (type_name<T>().find("<unnamed ") != std::string_view::npos ||
                            type_name<T>().find("(unnamed ") != std::string_view::npos ||
                            type_name<T>().find("(anonymous s") != std::string_view::npos ||
                            type_name<T>().find("(anonymous c") != std::string_view::npos));

// Initializers of anything, of some things: only for unevaluated operands.
struct any_value {
  template <class T>
  operator T() const noexcept;
};
struct any_lvalue {
  template <class T>
  operator T&() const noexcept;
};
struct any_unbindable {
  template <union_or_unnamed T>
  operator T() const noexcept;
};
template <class Derived>
struct any_base_of {
  template <class T>
    requires(std::is_base_of_v<T, Derived> && !std::is_same_v<T, Derived>)
  operator T() const noexcept;
};

/// Number of members that accept `{}`, an array counting as one. All members, if T is visible.
template <class T, std::size_t N = 0>
constexpr std::size_t count_fields() {
  if constexpr (N < max_fields && takes_braces<N + 1, T>()) {
    return count_fields<T, N + 1>();
  } else {
    return N;
  }
}

enum class aggregate_shape : unsigned char {
  visible,
  not_default_constructible,  ///< T{} does not compile, so members cannot be counted one by one.
  has_bases,
  has_union_or_unnamed,
  too_many_fields,
  has_odd_field,  ///< A member that `{}` does not initialize, though T{} does.
  tuple_like,     ///< std::tuple_size is specialized, and structured bindings follow that.
};

template <class T, std::size_t... I>
constexpr bool any_field_unbindable(std::index_sequence<I...>) {
  return (takes_braces<I, T, any_unbindable>() || ...);
}

/// Looks at the aggregate T without binding its members.
template <class T>
constexpr aggregate_shape shape_of() {
  static_assert(std::is_aggregate_v<T>);
  if constexpr (requires { std::tuple_size<T>::value; }) {
    return aggregate_shape::tuple_like;
  } else if constexpr (std::is_empty_v<T>) {
    return requires { T{}; }
    ? aggregate_shape::visible : aggregate_shape::not_default_constructible;
  } else if constexpr (!requires { T{}; }) {
    return aggregate_shape::not_default_constructible;
  } else if constexpr (requires { T{any_base_of<T>{}}; }) {
    return aggregate_shape::has_bases;
  } else {
    constexpr std::size_t count = count_fields<T>();
    if constexpr (any_field_unbindable<T>(std::make_index_sequence<count>{})) {
      return aggregate_shape::has_union_or_unnamed;
    } else if constexpr (takes_braces<count, T, any_value>() || takes_braces<count, T, any_lvalue>() ||
                         count == 0) {
      return count == max_fields ? aggregate_shape::too_many_fields : aggregate_shape::has_odd_field;
    } else {
      return aggregate_shape::visible;
    }
  }
}

struct list_types {
  template <class List, class... Values>
  constexpr List operator()(List list, const Values&...) const {
    return list;
  }
};

template <class T>
struct fields_of {
  static constexpr std::size_t count = std::is_empty_v<T> ? 0 : count_fields<T>();
  /// `types<...>` of the members as declared, arrays and const included.
  using list = decltype(bind_fields<count>(std::declval<T&>(), list_types{}));
};

/// Calls `function(types<Members...>{}, members...)`. T must be visible.
template <class T, class Function>
constexpr decltype(auto) visit_fields(T& value, Function&& function) {
  return bind_fields<fields_of<std::remove_const_t<T>>::count>(value, std::forward<Function>(function));
}

}  // namespace tandem::detail

#endif  // TANDEM_DETAIL_CODEC_FIELDS_HPP
