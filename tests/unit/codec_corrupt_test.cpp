// Bytes that are no message: cut short, changed, made up. Decoding throws decode_error or gives some value;
// it never reads outside, never takes memory out of proportion, never leaves a value that must not be (ASan
// and UBSan look on).
#include <tandem/codec.hpp>
#include <tandem/detail/outcome.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <bitset>
#include <cereal/types/vector.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace {

std::size_t allocated = 0;  // by this thread, since it was last set to 0; tests here have one thread

}  // namespace

// GCC takes these for a mismatched pair when it inlines one and not the other.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  allocated += size;
  if (void* const p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

enum class state : std::uint8_t { off, on };

struct item {
  bool flag = false;
  std::string text;
  std::optional<double> number;
  std::variant<int, std::string, std::vector<bool>> choice;
};

struct big_item {
  std::array<double, 500> values{};
};

struct tree {
  int value = 0;
  std::vector<tree> children;
  std::unique_ptr<tree> left;
};

struct with_cereal {
  int id = 0;
  std::vector<std::string> texts;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(id, texts);
  }
};

/// Written by hand, with a child of its own type behind a pointer: only the pointer's codec is ours.
struct chain {
  int value = 0;
  std::unique_ptr<chain> next;
};

/// A registered exception that may hold any other one.
struct holder_error {
  std::exception_ptr held;
};
const auto registered = (tandem::register_exception<holder_error>(), 0);

/// Large items which only cereal can read.
struct spacious {
  std::array<char, 4000> room{};
  bool used = false;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(used);
  }
};
struct boxes {
  std::vector<spacious> items;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(items);
  }
};

}  // namespace

template <>
struct tandem::codec<chain> {
  static void encode(writer& out, const chain& value) {
    tandem::encode(out, value.value);
    tandem::encode(out, value.next);
  }
  static chain decode(reader& in) {
    chain value;
    value.value = tandem::decode<int>(in);
    value.next = tandem::decode<std::unique_ptr<chain>>(in);
    return value;
  }
};

namespace {

struct everything {
  item one;
  std::vector<item> many;
  std::map<std::string, std::vector<int>> map;
  std::deque<std::string> deque;
  std::list<bool> list;
  std::forward_list<int> forward_list;
  std::unordered_map<int, std::string> hash_map;
  std::array<std::string, 2> array;
  tree root;
  with_cereal cereal;
  std::unique_ptr<std::string> pointer;
  std::bitset<11> bits;
  std::chrono::seconds seconds{};
  std::vector<state> states;
  std::error_code code;
  tandem::detail::outcome<std::string> value{std::in_place};
  tandem::detail::outcome<int> failure{std::in_place};
  std::set<std::string> set;
  std::tuple<int, bool> tuple;
};

everything make_everything() {
  tree root;
  root.children.resize(3);
  root.children[2].left = std::make_unique<tree>();
  std::exception_ptr error;
  try {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  } catch (...) {
    error = std::current_exception();
  }
  item one{true, "text", 1.5, std::vector<bool>(9, true)};
  return {one,
          {one, one},
          {{"k", {1, 2, 3}}},
          {"d1", "d2"},
          {true, false},
          {1, 2},
          {{1, "one"}},
          {"a", "b"},
          std::move(root),
          {7, {"x", "y"}},
          std::make_unique<std::string>("p"),
          std::bitset<11>("10101"),
          std::chrono::seconds(3),
          {state::on, state::off},
          std::make_error_code(std::errc::io_error),
          tandem::detail::outcome<std::string>(std::in_place, "v"),
          tandem::detail::outcome<int>(error),
          {"s"},
          {1, true}};
}

std::vector<std::byte> bytes_of(const everything& value) {
  tandem::writer out;
  out.set_trace("worker 1");
  tandem::encode(out, value);
  const auto bytes = out.bytes();
  return {bytes.begin(), bytes.end()};
}

/// True if the bytes decode. Anything but a value and decode_error is a failure.
template <class T>
bool decodes(std::span<const std::byte> bytes) {
  // In a heap block of just that size, so that ASan sees each step too far.
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  tandem::reader in(exact);
  try {
    const T value = tandem::decode<T>(in);
    in.expect_end();
    tandem::writer again;
    tandem::encode(again, value);  // touches everything in it
    return true;
  } catch (const tandem::decode_error&) {
    return false;
  }
}

TEST(CorruptBytes, AMessageCutShortAnywhereIsRefused) {
  const auto bytes = bytes_of(make_everything());
  ASSERT_TRUE(decodes<everything>(bytes));
  for (std::size_t size = 0; size != bytes.size(); ++size) {
    EXPECT_FALSE(decodes<everything>(std::span(bytes).first(size))) << "cut after " << size;
  }
}

TEST(CorruptBytes, AByteTooManyIsRefused) {
  auto bytes = bytes_of(make_everything());
  bytes.push_back(std::byte{});
  EXPECT_FALSE(decodes<everything>(bytes));
}

TEST(CorruptBytes, EveryByteSetToEveryExtreme) {
  const auto good = bytes_of(make_everything());
  for (std::size_t at = 0; at != good.size(); ++at) {
    for (const unsigned value : {0U, 1U, 2U, 0x7fU, 0x80U, 0xffU}) {
      auto bytes = good;
      bytes[at] = static_cast<std::byte>(value);
      allocated = 0;
      static_cast<void>(decodes<everything>(bytes));
      EXPECT_LT(allocated, 300 * good.size() + 100'000) << "byte " << at << " = " << value;
    }
  }
}

TEST(CorruptBytes, HugeLengthsAtEveryPosition) {
  const auto good = bytes_of(make_everything());
  for (std::size_t at = 0; at + 8 <= good.size(); ++at) {
    for (const int shift : {0, 20, 31, 32, 33, 40, 62, 63}) {
      auto bytes = good;
      const std::uint64_t length = (std::uint64_t{1} << shift) + 3;
      std::memcpy(bytes.data() + at, &length, sizeof(length));
      allocated = 0;
      static_cast<void>(decodes<everything>(bytes));
      EXPECT_LT(allocated, 300 * good.size() + 100'000) << "at " << at << " 2^" << shift;
    }
  }
}

TEST(CorruptBytes, SeededNoise) {
  std::mt19937_64 random(20240229);
  const auto good = bytes_of(make_everything());
  for (int round = 0; round != 3000; ++round) {
    auto bytes = good;
    const std::size_t changes = 1 + random() % 4;
    for (std::size_t i = 0; i != changes; ++i)
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    static_cast<void>(decodes<everything>(bytes));
  }
  for (int round = 0; round != 3000; ++round) {
    std::vector<std::byte> bytes(random() % 200);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    static_cast<void>(decodes<everything>(bytes));
    static_cast<void>(decodes<std::vector<item>>(bytes));
    static_cast<void>(decodes<std::exception_ptr>(bytes));
    static_cast<void>(decodes<with_cereal>(bytes));
  }
}

TEST(CorruptBytes, AFewBytesCannotClaimLargeItems) {
  // Nulls take one byte each: a count that the bytes can hold must still not reserve 4000 bytes for each.
  tandem::writer out;
  out.write_size(100'000);
  for (int i = 0; i != 100'000; ++i) out.write_value('\2');
  tandem::reader in(out.bytes());
  allocated = 0;
  EXPECT_THROW(static_cast<void>(tandem::decode<std::vector<std::optional<big_item>>>(in)),
               tandem::decode_error);
  EXPECT_LT(allocated, 1'000'000U);
}

TEST(CorruptBytes, ContainersInEachOtherReserveNoMoreThanTheMessageJustifies) {
  // Each level claims as many children as the bytes behind it could be, and there are bytes enough.
  tandem::writer out;
  for (int level = 0; level != 900; ++level) {
    out.write_value(level);
    out.write_size(10'000);
  }
  const std::vector<char> rest(200'000);
  out.write(rest.data(), rest.size());
  tandem::reader in(out.bytes());
  allocated = 0;
  EXPECT_THROW(static_cast<void>(tandem::decode<tree>(in)), tandem::decode_error);
  EXPECT_LT(allocated, 20 * out.size());  // it was 900 times
}

TEST(CorruptBytes, NeitherDoThoseThatCerealReads) {
  tandem::writer out;
  out.write_size(100'000);
  for (int i = 0; i != 100'000; ++i) out.write_value('\2');
  tandem::reader in(out.bytes());
  allocated = 0;
  EXPECT_THROW(static_cast<void>(tandem::decode<boxes>(in)), tandem::decode_error);
  EXPECT_LT(allocated, 1'000'000U);
}

TEST(CorruptBytes, ItemsWithoutBytesAreCountedOverAllContainers) {
  tandem::writer out;
  out.write_size(1000);
  for (int i = 0; i != 1000; ++i) out.write_size(std::size_t{1} << 20U);
  tandem::reader in(out.bytes());
  allocated = 0;
  EXPECT_THROW(static_cast<void>(tandem::decode<std::vector<std::vector<std::monostate>>>(in)),
               tandem::decode_error);
  EXPECT_LT(allocated, 10'000'000U);
}

TEST(CorruptBytes, AMillionItemsWithoutBytesAreBelieved) {
  const std::vector<std::monostate> many(1'000'000);
  tandem::writer out;
  tandem::encode(out, many);
  tandem::reader in(out.bytes());
  EXPECT_EQ(tandem::decode<std::vector<std::monostate>>(in), many);
}

TEST(CorruptBytes, ACodecThatContainsItselfNestsNoDeeperThanTheStackAllows) {
  tandem::writer out;
  for (int i = 0; i != 1'000'000; ++i) {
    out.write_value(i);
    out.write_value('\1');
  }
  tandem::reader in(out.bytes());
  EXPECT_THROW(static_cast<void>(tandem::decode<chain>(in)), tandem::decode_error);
  chain first;
  chain* last = &first;
  for (int i = 0; i != 1100; ++i, last = last->next.get()) last->next = std::make_unique<chain>();
  EXPECT_THROW(tandem::encode(out, first), tandem::not_portable_error);
}

TEST(CorruptBytes, ExceptionsWithinExceptionsNestNoDeeperThanTheStackAllows) {
  // From the innermost one outwards: form, names, what, trace, parts, nothing nested.
  std::vector<std::byte> bytes(1);
  for (int level = 0; level != 600; ++level) {
    tandem::writer out;
    out.write_value('\1');
    tandem::encode(out, std::string(typeid(holder_error).name()));
    for (int i = 0; i != 3; ++i) tandem::encode(out, std::string());
    out.write_size(bytes.size());
    out.write(bytes.data(), bytes.size());
    out.write_value('\0');
    bytes.assign(out.bytes().begin(), out.bytes().end());
  }
  tandem::reader in(bytes);
  EXPECT_THROW(static_cast<void>(tandem::decode<std::exception_ptr>(in)), tandem::decode_error);
}

TEST(CorruptBytes, ItemsWithoutBytesAreCounted) {
  tandem::writer out;
  out.write_size(std::size_t{1} << 60);
  tandem::reader in(out.bytes());
  EXPECT_THROW(static_cast<void>(tandem::decode<std::vector<std::monostate>>(in)), tandem::decode_error);
}

}  // namespace
