// Values come out of a message equal to how they went in.
#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace {

using tandem::reader;
using tandem::writer;

template <class T>
T round_trip(const T& value) {
  static_assert(tandem::portable<T>);
  writer out;
  out.write_value('x');  // so that nothing is aligned by chance
  tandem::encode(out, value);
  reader in(out.bytes());
  static_cast<void>(in.read_value<char>());
  EXPECT_GE(in.remaining(), tandem::detail::min_size<T>());
  T result = tandem::decode<T>(in);
  EXPECT_EQ(in.remaining(), 0U);
  return result;
}

template <class T>
void expect_same(const T& value) {
  EXPECT_EQ(round_trip(value), value);
}

enum class colour : std::uint8_t { red, green };
enum old_enum { old_a, old_b = 300 };
enum class yes_no : bool { no, yes };

struct point {
  double x = 0;
  double y = 0;
  bool operator==(const point&) const = default;
};

struct flagged {
  int id = 0;
  bool flag = false;
  std::optional<yes_no> answer;
  bool operator==(const flagged&) const = default;
};

struct job {
  std::string name;
  std::vector<point> points;
  std::map<std::string, flagged> flags;
  const int version = 3;
  bool operator==(const job& o) const {
    return name == o.name && points == o.points && flags == o.flags && version == o.version;
  }
};

struct with_arrays {
  char tag[8] = {};
  std::string names[2][2];
  int matrix[2][3] = {};
  bool operator==(const with_arrays& o) const {
    return std::equal(std::begin(tag), std::end(tag), std::begin(o.tag)) && names[0][1] == o.names[0][1] &&
           names[1][0] == o.names[1][0] && matrix[1][2] == o.matrix[1][2];
  }
};

struct with_bits {
  unsigned a : 3 = 0;
  int b : 7 = 0;
  std::string text;
};
struct plain_bits {
  unsigned a : 3;
  unsigned b : 9;
};

struct tree {
  int value = 0;
  std::vector<tree> children;
  std::unique_ptr<tree> left;
};

struct owner {
  std::unique_ptr<int> number;
  std::vector<std::unique_ptr<std::string>> texts;
};

struct empty {
  bool operator==(const empty&) const = default;
};

struct bomb {
  bomb() { throw std::runtime_error("boom"); }
  bomb(const bomb&) noexcept(false) {}
};

struct thirty_two {
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae, af;
};

}  // namespace

template <>
struct tandem::codec<bomb> {
  static void encode(writer&, const bomb&) {}
  static bomb decode(reader&) { return {}; }
};

namespace {

TEST(Codec, Scalars) {
  expect_same(true);
  expect_same(false);
  expect_same('x');
  expect_same(-7);
  expect_same(std::uint64_t{1} << 63);
  expect_same(3.25);
  expect_same(-1.5F);
  expect_same(0.1L);
  expect_same(u'\u20ac');
  expect_same(std::byte{9});
  expect_same(colour::green);
  expect_same(old_b);
  expect_same(yes_no::yes);
}

TEST(Codec, Strings) {
  expect_same(std::string());
  expect_same(std::string("with \0 inside", 13));
  expect_same(std::string(100'000, 'y'));
  expect_same(std::u16string(u"h\u00e9"));
  expect_same(std::u32string(U"h\u00e9"));
  expect_same(std::wstring(L"wide"));
}

TEST(Codec, Sequences) {
  expect_same(std::vector<int>{});
  expect_same(std::vector<double>{1.5, -2});
  expect_same(std::vector<std::string>{"a", "", "c"});
  expect_same(std::vector<std::vector<point>>{{{1, 2}}, {}, {{3, 4}, {5, 6}}});
  expect_same(std::vector<empty>(5));
  expect_same(std::deque<int>{1, 2, 3});
  expect_same(std::list<std::string>{"x", "y"});
  expect_same(std::forward_list<int>{4, 5, 6});
  expect_same(std::array<int, 3>{1, 2, 3});
  expect_same(std::array<int, 0>{});
  expect_same(std::vector<std::array<int, 0>>(3));
  expect_same(std::array<std::string, 2>{"p", "q"});
  std::array<std::string, 100> many;
  many[99] = "last";
  expect_same(many);
}

TEST(Codec, VectorsOfBool) {
  for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 1000U}) {
    std::vector<bool> bits(size);
    for (std::size_t i = 0; i < size; i += 3) bits[i] = true;
    expect_same(bits);
  }
}

TEST(Codec, SetsAndMaps) {
  expect_same(std::set<int>{3, 1, 2});
  expect_same(std::multiset<std::string>{"a", "a", "b"});
  expect_same(std::map<std::string, int>{{"one", 1}, {"two", 2}});
  expect_same(std::multimap<int, std::string>{{1, "x"}, {1, "y"}});
  expect_same(std::unordered_set<std::string>{"a", "b"});
  expect_same(std::unordered_multiset<int>{1, 1, 2});
  expect_same(std::unordered_map<std::string, std::vector<int>>{{"k", {1, 2}}, {"l", {}}});
  expect_same(std::unordered_multimap<int, int>{{1, 2}, {1, 3}});
  expect_same(std::map<int, int, std::greater<>>{{1, 2}, {3, 4}});
}

TEST(Codec, ProductsAndSums) {
  expect_same(std::pair<int, std::string>{1, "x"});
  expect_same(std::pair<const int, bool>{1, true});
  expect_same(std::tuple<>{});
  expect_same(std::tuple<int, std::string, point>{1, "t", {2, 3}});
  expect_same(std::optional<int>{});
  expect_same(std::optional<std::string>{"x"});
  expect_same(std::optional<std::optional<int>>{std::optional<int>{}});
  expect_same(std::variant<int, std::string, std::monostate>{std::string("v")});
  expect_same(std::variant<int, std::string, std::monostate>{std::monostate{}});
  expect_same(std::variant<int, int>(std::in_place_index<1>, 7));
}

TEST(Codec, Pointers) {
  EXPECT_EQ(round_trip(std::unique_ptr<int>()), nullptr);
  EXPECT_EQ(*round_trip(std::make_unique<std::string>("owned")), "owned");
  EXPECT_EQ(*round_trip(std::make_shared<const std::string>("shared")), "shared");
  EXPECT_EQ(*round_trip(std::make_unique<const int>(4)), 4);
  EXPECT_EQ(round_trip(std::shared_ptr<point>()), nullptr);
}

TEST(Codec, SharedPointersArriveAsObjectsOfTheirOwn) {
  const auto one = std::make_shared<int>(1);
  const auto [a, b] = round_trip(std::pair{one, one});
  EXPECT_EQ(*a, *b);
  EXPECT_NE(a, b);
}

TEST(Codec, ChronoComplexBitsetPath) {
  using namespace std::chrono_literals;
  expect_same(1500ms);
  expect_same(std::chrono::duration<double>(0.5));
  expect_same(std::chrono::system_clock::now());
  expect_same(std::chrono::steady_clock::now());
  expect_same(std::vector<std::chrono::nanoseconds>{1ns, 2ns});
  expect_same(std::chrono::year(2024) / 2 / 29);
  expect_same(std::complex<double>(1, -2));
  expect_same(std::vector<std::complex<float>>{{1, 2}, {3, 4}});
  expect_same(std::bitset<3>("101"));
  expect_same(std::bitset<200>().set(199).set(0));
  expect_same(std::filesystem::path("/tmp/\xff/file"));
  expect_same(std::vector<std::filesystem::path>{"a", "b/c"});
}

TEST(Codec, ErrorCodesOfTheStandardCategories) {
  expect_same(std::make_error_code(std::errc::timed_out));
  expect_same(std::error_code(2, std::system_category()));
  expect_same(std::make_error_code(std::io_errc::stream));
  expect_same(std::error_code());
}

TEST(Codec, ErrorCodesOfOtherCategoriesAreRefused) {
  struct own_category final : std::error_category {
    [[nodiscard]] const char* name() const noexcept override { return "own"; }
    [[nodiscard]] std::string message(int) const override { return "m"; }
  };
  static const own_category category;
  writer out;
  EXPECT_THROW(tandem::encode(out, std::error_code(1, category)), tandem::not_portable_error);
}

TEST(Codec, Aggregates) {
  expect_same(point{1, 2});
  expect_same(flagged{1, true, yes_no::yes});
  expect_same(job{"n", {{1, 2}}, {{"f", {1, true, {}}}}, 9});
  with_arrays arrays{"tag", {{"a", "b"}, {"c", "d"}}, {{1, 2, 3}, {4, 5, 6}}};
  expect_same(arrays);
  expect_same(empty{});
  thirty_two value{};
  value.a = 1;
  value.af = 32;
  const thirty_two many = round_trip(value);
  EXPECT_EQ(many.a, 1);
  EXPECT_EQ(many.af, 32);
}

TEST(Codec, BitFields) {
  const with_bits bits = round_trip(with_bits{5, -3, "t"});
  EXPECT_EQ(bits.a, 5U);
  EXPECT_EQ(bits.b, -3);
  EXPECT_EQ(bits.text, "t");
  const plain_bits plain = round_trip(plain_bits{6, 300});
  EXPECT_EQ(plain.a, 6U);
  EXPECT_EQ(plain.b, 300U);
}

TEST(Codec, TypesThatContainThemselves) {
  tree root;
  root.value = 1;
  root.children.resize(2);
  root.children[1].value = 2;
  root.children[1].left = std::make_unique<tree>();
  root.children[1].left->value = 3;
  const tree copy = round_trip(root);
  EXPECT_EQ(copy.children.at(1).left->value, 3);
}

TEST(Codec, NestingIsLimitedOnBothSides) {
  tree root;
  tree* last = &root;
  for (std::uint32_t i = 1; i < tandem::detail::max_nesting; ++i) {
    last->left = std::make_unique<tree>();
    last = last->left.get();
  }
  EXPECT_NO_THROW(round_trip(root));
  writer out;
  tandem::encode(out, root);
  last->left = std::make_unique<tree>();
  writer refused;
  EXPECT_THROW(tandem::encode(refused, root), tandem::not_portable_error);
  // What such a value would look like: value, no children, a left one.
  writer forged;
  for (int i = 0; i < 100'000; ++i) {
    forged.write_value(0);
    forged.write_size(0);
    forged.write_value('\1');
  }
  reader in(forged.bytes());
  EXPECT_THROW(static_cast<void>(tandem::decode<tree>(in)), tandem::decode_error);
}

TEST(Codec, MoveOnlyTypes) {
  owner value;
  value.number = std::make_unique<int>(5);
  value.texts.push_back(std::make_unique<std::string>("t"));
  value.texts.push_back(nullptr);
  const owner copy = round_trip(value);
  EXPECT_EQ(*copy.number, 5);
  EXPECT_EQ(*copy.texts.at(0), "t");
  EXPECT_EQ(copy.texts.at(1), nullptr);
}

TEST(Codec, PlainDataIsSentInOnePiece) {
  writer out;
  tandem::encode(out, std::vector<point>(1000));
  EXPECT_EQ(out.size(), 8 + 1000 * sizeof(point));
  writer bits;
  tandem::encode(bits, std::vector<bool>(1000));
  EXPECT_EQ(bits.size(), 8U + 125U);
}

TEST(Codec, AValuelessVariantIsRefused) {
  std::variant<std::string, bomb> value("x");
  EXPECT_THROW(value.emplace<1>(), std::runtime_error);
  ASSERT_TRUE(value.valueless_by_exception());
  writer out;
  EXPECT_THROW(tandem::encode(out, value), tandem::not_portable_error);
}

}  // namespace
