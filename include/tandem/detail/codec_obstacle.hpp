// What keeps a type from crossing to another process, and the compiler's words for it.
//
// Owns the list and the messages at compile time; src/codec/portability.cpp has those at run time. Must not
// know how it is found out.
#ifndef TANDEM_DETAIL_CODEC_OBSTACLE_HPP
#define TANDEM_DETAIL_CODEC_OBSTACLE_HPP

namespace tandem::detail {

/// What keeps a type from being portable.
enum class obstacle : unsigned char {
  none,
  pointer,
  member_pointer,
  function_pointer,
  reference,
  view,
  reference_wrapper,
  std_function,
  weak_pointer,
  array_pointer,
  base_pointer,
  deleter,
  helper_object,
  closure,
  union_type,
  odd_aggregate,
  incomplete_type,
  incomplete_codec,
  not_bytewise,
  opaque,
  nothing,
};

/// Stops the compilation with the reason if `Why` is one. `T` is there for the compiler to name.
template <class T, obstacle Why>
constexpr void require_no_obstacle() {
  static_assert(Why != obstacle::pointer,
                "this type is or contains a raw pointer, which means nothing in another process: pass the "
                "value it points to (std::string for const char*, std::vector for arrays)");
  static_assert(Why != obstacle::member_pointer && Why != obstacle::function_pointer,
                "this type is or contains a function or member pointer: those cross only as the callable "
                "itself or as a whole argument, not inside other values and not as results");
  static_assert(Why != obstacle::reference,
                "this type is or contains a reference, which means nothing in another process: use a value");
  static_assert(Why != obstacle::view,
                "this type is or contains a view (string_view, span, initializer_list) of memory that "
                "another process does not have: use std::string or std::vector");
  static_assert(Why != obstacle::reference_wrapper,
                "std::ref cannot be sent to another process, which has its own memory: pass the value, and "
                "return what changes");
  static_assert(Why != obstacle::std_function,
                "std::function cannot be sent to another process, because it hides what it holds: pass the "
                "function, or a captureless lambda");
  static_assert(Why != obstacle::weak_pointer,
                "std::weak_ptr cannot be sent to another process: pass the object or a std::shared_ptr");
  static_assert(Why != obstacle::array_pointer,
                "a smart pointer to an array does not know its length: use std::vector");
  static_assert(
      Why != obstacle::base_pointer,
      "a smart pointer to a polymorphic class would be sliced on its way to another process: make the class "
      "final, use std::variant, or register it with cereal (cereal/types/polymorphic.hpp)");
  static_assert(Why != obstacle::deleter,
                "a unique_ptr with a deleter of its own cannot be sent to another process: pass the object");
  static_assert(Why != obstacle::helper_object,
                "a container whose comparison, hash or allocator has a state or no default constructor "
                "cannot be sent to another process: use an empty function object");
  static_assert(Why != obstacle::closure,
                "a lambda with captures cannot be sent to a worker process: pass the captures as arguments "
                "or wrap the lambda in tandem::by_value(...)");
  static_assert(
      Why != obstacle::union_type,
      "a union does not tell which member it holds: use std::variant, or specialize tandem::enable_bytewise");
  static_assert(Why != obstacle::odd_aggregate,
                "tandem cannot see the members of this aggregate: it has base classes, unions, unnamed "
                "types, more than 32 members, or an array next to a member that is const or has no default "
                "constructor. Specialize tandem::codec for it, give it a cereal serialize function, or "
                "(plain data only) set tandem::enable_bytewise");
  static_assert(Why != obstacle::incomplete_type,
                "this class is only declared here: include its definition before it is used with tandem");
  static_assert(Why != obstacle::incomplete_codec,
                "this type's tandem::codec needs `static void encode(tandem::writer&, const T&)` and `static "
                "T decode(tandem::reader&)`");
  static_assert(Why != obstacle::not_bytewise,
                "tandem::enable_bytewise is set for this type, but it is not trivially copyable");
  static_assert(Why != obstacle::opaque,
                "tandem does not know how to send this class to another process: specialize tandem::codec "
                "for it, give it a cereal serialize function and a default constructor, or (plain data only) "
                "set tandem::enable_bytewise");
  static_assert(Why != obstacle::nothing, "there are no values of type void");
}

}  // namespace tandem::detail

#endif  // TANDEM_DETAIL_CODEC_OBSTACLE_HPP
