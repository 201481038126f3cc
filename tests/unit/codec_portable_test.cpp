// What is portable and what is not, and the words for it. That nothing here is a compile error is half of the
// test.
#include <tandem/codec.hpp>
#include <tandem/detail/remote.hpp>

#include <gtest/gtest.h>

#include <any>
#include <atomic>
#include <cstdio>
#include <functional>
#include <future>
#include <locale>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

namespace {

using tandem::portable;
using tandem::remote_callable;
using tandem::detail::obstacle;
using tandem::detail::portability;
using tandem::detail::remote_call;

struct point {
  double x, y;
};
struct points_at {
  int id;
  int* where;
};
struct points_deep {
  std::vector<std::map<std::string, points_at>> all;
};
struct refers {
  const int& where;
};
struct refers_by_default {
  const int& where = 5;
};
struct base {
  int a;
};
struct derived : base {
  int b;
};
struct anonymous_union {
  int tag;
  union {
    int i;
    float f;
  };
};
struct named_union {
  int tag;
  union either {
    int i;
    float f;
  } value;
};
union bare_union {
  int i;
  float f;
};
struct thirty_three {
  int f[33];
  int a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae, af, ag;
};
struct not_default {
  explicit not_default(int) {}
};
struct holds_not_default {
  int a;
  not_default b;
};
struct explicit_default {
  explicit explicit_default() = default;
};
struct odd_member {
  int a;
  explicit_default b = explicit_default();
  int c;
};
class known {  // has a codec, but no default constructor
 public:
  explicit known(int) {}
};
struct holds_known {
  std::string text;
  known a;
  known b;
};
struct array_and_known {
  int numbers[3];
  known b;
};
struct derived_known : base {
  known b;
};
struct union_and_known {
  known a;
  union {
    int i;
    float f;
  };
};
class hidden {
 public:
  explicit hidden(int v) : v_(v) {}
  [[nodiscard]] int v() const { return v_; }

 private:
  int v_;
};
class plain_hidden {
 public:
  plain_hidden() = default;
  explicit plain_hidden(int v) : v_(v) {}
  [[nodiscard]] int v() const { return v_; }

 private:
  int v_ = 0;
};
struct immovable {
  immovable(const immovable&) = delete;
  int a;
};
struct with_atomic {
  std::atomic<int> count;
};
struct array_and_const {
  std::string texts[2];
  const int version;
};
struct polymorphic {
  virtual ~polymorphic() = default;
  int a = 0;
};
struct final_polymorphic final : polymorphic {};
struct stateful_less {
  int direction;
  bool operator()(int a, int b) const { return direction > 0 ? a < b : b < a; }
};
template <class T>
struct half_done {
  T value;
};
struct recursive_pointer {
  int value;
  recursive_pointer* next;
};
class only_declared;
struct tuple_like {
  int a, b;
};
[[maybe_unused]] void grow(std::vector<int>& v) { v.push_back(1); }
[[maybe_unused]] int twice(int x) { return 2 * x; }
[[maybe_unused]] const int& same(const int& x) { return x; }
[[maybe_unused]] std::string_view view_of(const std::string& s) { return s; }

}  // namespace

template <>
inline constexpr bool tandem::enable_bytewise<plain_hidden> = true;
template <>
inline constexpr bool tandem::enable_bytewise<std::string*> = false;
template <>
struct tandem::codec<known> {
  static void encode(writer&, const known&) {}
  static known decode(reader&) { return known(1); }
};
template <class T>
struct tandem::codec<half_done<T>> {
  static void encode(writer&, const half_done<T>&) {}  // and no decode
};
template <>
struct std::tuple_size<tuple_like> : std::integral_constant<std::size_t, 1> {};

namespace {

template <class T>
constexpr obstacle why = portability<T>.what;

static_assert(portable<point> && portable<plain_hidden> && portable<std::vector<plain_hidden>>);
static_assert(why<int*> == obstacle::pointer && why<const char*> == obstacle::pointer);
static_assert(why<std::nullptr_t> == obstacle::pointer && why<points_at> == obstacle::pointer);
static_assert(why<points_deep> == obstacle::pointer && why<recursive_pointer> == obstacle::pointer);
static_assert(why<int&> == obstacle::reference && why<refers_by_default> == obstacle::reference);
static_assert(why<std::string_view> == obstacle::view && why<std::span<int>> == obstacle::view);
static_assert(why<std::reference_wrapper<int>> == obstacle::reference_wrapper);
static_assert(why<std::function<void()>> == obstacle::std_function);
static_assert(why<std::weak_ptr<int>> == obstacle::weak_pointer);
static_assert(why<std::unique_ptr<int[]>> == obstacle::array_pointer);
static_assert(why<std::shared_ptr<int[]>> == obstacle::array_pointer);
static_assert(why<std::unique_ptr<int, void (*)(int*)>> == obstacle::deleter);
static_assert(why<std::unique_ptr<polymorphic>> == obstacle::base_pointer);
static_assert(why<std::shared_ptr<polymorphic>> == obstacle::base_pointer);
static_assert(why<std::map<int, int, bool (*)(int, int)>> == obstacle::helper_object);
static_assert(why<std::set<int, stateful_less>> == obstacle::helper_object);
static_assert(why<bare_union> == obstacle::union_type);
static_assert(why<anonymous_union> == obstacle::odd_aggregate && why<named_union> == obstacle::odd_aggregate);
static_assert(why<derived> == obstacle::odd_aggregate && why<thirty_three> == obstacle::odd_aggregate);
static_assert(why<refers> == obstacle::reference && why<array_and_const> == obstacle::odd_aggregate);
static_assert(why<holds_not_default> == obstacle::opaque && why<odd_member> == obstacle::opaque);
static_assert(portable<holds_known> && why<array_and_known> == obstacle::odd_aggregate);
static_assert(why<derived_known> == obstacle::odd_aggregate &&
              why<union_and_known> == obstacle::odd_aggregate);
static_assert(why<tuple_like> == obstacle::odd_aggregate);
static_assert(why<hidden> == obstacle::opaque && why<std::any> == obstacle::opaque);
static_assert(why<std::thread> == obstacle::opaque && why<std::mutex> == obstacle::opaque);
static_assert(why<with_atomic> != obstacle::none && why<immovable> != obstacle::none);
static_assert(why<half_done<int>> == obstacle::incomplete_codec);
static_assert(why<void (*)()> == obstacle::function_pointer && why<int base::*> == obstacle::member_pointer);
static_assert(why<void> == obstacle::nothing && why<only_declared> == obstacle::incomplete_type);
static_assert(why<std::shared_ptr<only_declared>> == obstacle::incomplete_type);
static_assert(why<std::unique_ptr<only_declared>> == obstacle::incomplete_type);
static_assert(why<std::vector<std::shared_ptr<only_declared>>> == obstacle::incomplete_type);
static_assert(why<std::future<int>> == obstacle::opaque && why<std::locale> == obstacle::opaque);
static_assert(why<std::unique_ptr<std::FILE, int (*)(std::FILE*)>> == obstacle::deleter);
static_assert(why<std::tuple<int, std::vector<std::unique_lock<std::mutex>>>> == obstacle::opaque);
static_assert(why<std::optional<std::variant<int, std::vector<void*>>>> == obstacle::pointer);

// Not portable as values, but good callables and arguments.
static_assert(remote_callable<decltype(twice), int>);
static_assert(remote_callable<decltype(twice), short>);
static_assert(remote_callable<int (*)(int), int>);
static_assert(remote_callable<std::plus<>, int, double>);
static_assert(remote_callable<double point::*, point>);
static_assert(remote_callable<decltype([](int (*f)(int)) { return f(1); }), int (*)(int)>);
static_assert(!remote_callable<decltype(twice), std::string>);
static_assert(!remote_callable<decltype(grow), std::reference_wrapper<std::vector<int>>>);
static_assert(!remote_callable<decltype(same), int>, "the result refers to the worker's memory");
static_assert(!remote_callable<decltype(view_of), std::string>);

TEST(Portable, TheWordsNameTheInnermostTypeAndWhatToDo) {
  const std::string text = tandem::detail::explain(portability<points_deep>);
  EXPECT_TRUE(text.starts_with("`int*`") || text.starts_with("`int *`")) << text;
  EXPECT_NE(text.find("std::vector for arrays"), std::string::npos) << text;
  EXPECT_EQ(tandem::detail::explain(portability<int>), "");
}

TEST(Portable, ALambdaWithCapturesIsRecognized) {
  int factor = 2;
  const auto scale = [factor](int x) { return factor * x; };
  using call = remote_call<std::decay_t<decltype(scale)>, int>;
  static_assert(!call::portable && call::verdict.why.what == obstacle::closure);
  EXPECT_NE(std::string(call::why_not()).find("tandem::by_value(...)"), std::string::npos) << call::why_not();
  EXPECT_EQ(scale(1), 2);
}

TEST(Portable, WhyNotNamesThePart) {
  const auto text = [](const char* why_not) { return std::string(why_not); };
  using second = remote_call<void (*)(int, const char*), int, const char*>;
  EXPECT_EQ(text(second::why_not()).find("argument 2: `const char"), 0U) << second::why_not();
  using result = remote_call<std::string_view (*)(const std::string&), std::string>;
  EXPECT_EQ(text(result::why_not()).find("the result: "), 0U) << result::why_not();
  using reference = remote_call<void (*)(std::vector<int>&), std::reference_wrapper<std::vector<int>>>;
  EXPECT_NE(text(reference::why_not()).find("return what changes"), std::string::npos)
      << reference::why_not();
  EXPECT_STREQ((remote_call<int (*)(int), int>::why_not()), "");
}

}  // namespace
