// What an aggregate is made of: the types of its members, and access to each.
//
// Owns deciding whether members can be seen at all. Asked about any type (`executor&` asks for every callable
// and argument), it must never be a compile error: where it cannot see, layout_of() says so. That rules
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

/// Number of leading members that accept `{}`, an array counting as one.
template <class T, std::size_t N = 0>
constexpr std::size_t count_braces() {
  if constexpr (N < max_fields && takes_braces<N + 1, T>()) {
    return count_braces<T, N + 1>();
  } else {
    return N;
  }
}

template <std::size_t>
using any_at = any_value;

/// T can be initialized from as many values as the lists are long, with the Middles in between.
template <class T, class... Middle, std::size_t... Before, std::size_t... After>
constexpr bool takes_values(std::index_sequence<Before...>, std::index_sequence<After...>) {
  return requires { T{any_at<Before>{}..., Middle{}..., any_at<After>{}...}; };
}
template <class T, std::size_t... Before, std::size_t... After>
constexpr bool takes_values_around_braces(std::index_sequence<Before...>, std::index_sequence<After...>) {
  return requires { T{any_at<Before>{}..., {}, any_at<After>{}...}; };
}

/// Most values that initialize T, the elements of an array counting each; one more than max_fields for any
/// more.
template <class T, std::size_t N = max_fields + 1>
constexpr std::size_t count_values() {
  if constexpr (N == 0 || takes_values<T>(std::make_index_sequence<N>{}, std::index_sequence<>{})) {
    return N;
  } else {
    return count_values<T, N - 1>();
  }
}

/// Of Count values that initialize T, the one at At is the first of several that go to an array.
template <class T, std::size_t Count, std::size_t At, std::size_t... Length>
constexpr bool array_begins_at(std::index_sequence<Length...>) {
  using before = std::make_index_sequence<At>;
  if constexpr (takes_values_around_braces<T>(before{}, std::make_index_sequence<Count - At - 1>{})) {
    return false;
  } else {
    return (takes_values_around_braces<T>(before{}, std::make_index_sequence<Count - At - 2 - Length>{}) ||
            ...);
  }
}
template <class T, std::size_t... At>
constexpr bool has_array(std::index_sequence<At...>) {
  constexpr std::size_t count = sizeof...(At);
  return ((At + 1 < count && array_begins_at<T, count, At>(
                                 std::make_index_sequence<count - (At + 1 < count ? At + 1 : count)>{})) ||
          ...);
}
template <class T, std::size_t... At>
constexpr bool has_unbindable_value(std::index_sequence<At...>) {
  return (takes_values<T, any_unbindable>(std::make_index_sequence<At>{},
                                          std::make_index_sequence<sizeof...(At) - 1 - At>{}) ||
          ...);
}
template <class T, std::size_t... At>
constexpr bool has_unbindable_braces(std::index_sequence<At...>) {
  return (takes_braces<At, T, any_unbindable>() || ...);
}

/// What can be found out about an aggregate without binding its members.
struct aggregate_layout {
  bool visible = false;
  std::size_t count = 0;  ///< Of members, if visible.
};

// Named, because clang-format 14 takes a requires-expression inside of a statement for a block.
template <class T>
concept tuple_like = requires {
  std::tuple_size<T>::value;
};
template <class T>
concept takes_empty_braces = requires {
  T{};
};
template <class T>
concept takes_base = requires {
  T{any_base_of<T>{}};
};

template <class T>
constexpr aggregate_layout layout_of() {
  static_assert(std::is_aggregate_v<T>);
  constexpr aggregate_layout hidden{};
  if constexpr (tuple_like<T>) {
    return hidden;  // structured bindings would follow that
  } else if constexpr (std::is_empty_v<T>) {
    return {takes_empty_braces<T>, 0};
  } else if constexpr (takes_base<T>) {
    return hidden;
  } else {
    constexpr std::size_t braces = takes_empty_braces<T> ? count_braces<T>() : 0;
    if constexpr (braces != 0 && !takes_braces<braces, T, any_value>() &&
                  !takes_braces<braces, T, any_lvalue>()) {
      return {!has_unbindable_braces<T>(std::make_index_sequence<braces>{}), braces};
    } else {
      // There is a member that `{}` does not initialize: it has no default constructor.
      constexpr std::size_t values = count_values<T>();
      if constexpr (values == 0 || values > max_fields) {
        return hidden;
      } else if constexpr (takes_values<T, any_base_of<T>>(std::index_sequence<>{},
                                                           std::make_index_sequence<values - 1>{}) ||
                           has_unbindable_value<T>(std::make_index_sequence<values>{}) ||
                           has_array<T>(std::make_index_sequence<values>{})) {
        return hidden;
      } else {
        return {true, values};
      }
    }
  }
}

/// The members of T can be bound.
template <class T>
inline constexpr bool has_visible_layout = layout_of<T>().visible;
template <class T>
concept visible_aggregate = std::is_aggregate_v<T> && has_visible_layout<T>;

struct list_types {
  template <class List, class... Values>
  constexpr List operator()(List list, const Values&...) const {
    return list;
  }
};

template <class T>
struct fields_of {
  static constexpr std::size_t count = layout_of<T>().count;
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
