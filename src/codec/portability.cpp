// The words for what cannot be sent to another process, at run time. The same at compile time:
// require_no_obstacle().
#include <tandem/detail/codec_portable.hpp>
#include <tandem/detail/remote.hpp>

#include <string>

namespace tandem::detail {

namespace {

const char* words(obstacle what) {
  switch (what) {
    case obstacle::none:
      return "";
    case obstacle::pointer:
      return "is a pointer, which means nothing in another process: pass the value it points to "
             "(std::string for const char*, std::vector for arrays)";
    case obstacle::member_pointer:
    case obstacle::function_pointer:
      return "is a function or member pointer, which crosses only as the callable itself or as a whole "
             "argument, not inside other values and not as a result";
    case obstacle::reference:
      return "is a reference, which means nothing in another process: use a value";
    case obstacle::view:
      return "is a view of memory that another process does not have: use std::string or std::vector";
    case obstacle::reference_wrapper:
      return "refers to an object that another process does not have: pass the value, and return what "
             "changes";
    case obstacle::std_function:
      return "hides what it holds: pass the function itself, or a captureless lambda";
    case obstacle::weak_pointer:
      return "may point to nothing in another process: pass the object or a std::shared_ptr";
    case obstacle::array_pointer:
      return "does not know the length of the array it points to: use std::vector";
    case obstacle::base_pointer:
      return "points to a polymorphic class and would be sliced: make the class final, use "
             "std::variant, or register it with cereal (cereal/types/polymorphic.hpp)";
    case obstacle::deleter:
      return "has a deleter of its own: pass the object";
    case obstacle::helper_object:
      return "has a comparison, hash or allocator with a state or without default constructor: use an "
             "empty function object";
    case obstacle::closure:
      return "is a lambda with captures: pass the captures as arguments or wrap the lambda in "
             "tandem::by_value(...)";
    case obstacle::union_type:
      return "is a union, which does not tell which member it holds: use std::variant, or specialize "
             "tandem::enable_bytewise";
    case obstacle::odd_aggregate:
      return "is an aggregate whose members tandem cannot see (base classes, unions, unnamed types, "
             "more than 32 members, or an array next to a member that is const or has no default "
             "constructor): specialize tandem::codec for it, give it a cereal serialize function, or "
             "(plain data only) set tandem::enable_bytewise";
    case obstacle::incomplete_type:
      return "is only declared where it is used with tandem: include its definition";
    case obstacle::incomplete_codec:
      return "has a tandem::codec without the right encode and decode";
    case obstacle::not_bytewise:
      return "has tandem::enable_bytewise set but is not trivially copyable";
    case obstacle::opaque:
      return "is a class that tandem does not know how to send: specialize tandem::codec for it, give "
             "it a cereal serialize function and a default constructor, or (plain data only) set "
             "tandem::enable_bytewise";
    case obstacle::nothing:
      return "has no values";
  }
  return "is not known";
}

}  // namespace

std::string explain(const verdict& why) {
  if (why) return {};
  std::string text = "`";
  text += why.type;
  return text + "` " + words(why.what);
}

std::string explain(const call_verdict& why) {
  switch (why.part) {
    case call_part::none:
      return {};
    case call_part::not_invocable:
      return "the callable cannot be called with these arguments as rvalues";
    case call_part::callable:
      return "the callable: " + explain(why.why);
    case call_part::argument:
      return "argument " + std::to_string(why.position) + ": " + explain(why.why);
    case call_part::result:
      return "the result: " + explain(why.why);
  }
  return {};
}

}  // namespace tandem::detail
