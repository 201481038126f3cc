// Types that only cereal knows how to serialize.
#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cereal/types/list.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/vector.hpp>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

template <class T>
T round_trip(const T& value) {
  static_assert(tandem::portable<T>);
  tandem::writer out;
  tandem::encode(out, value);
  tandem::reader in(out.bytes());
  T result = tandem::decode<T>(in);
  EXPECT_EQ(in.remaining(), 0U);
  return result;
}

/// Uses containers for which no cereal header is included: tandem's codecs stand in.
class account {
 public:
  account() = default;
  account(std::string name, std::vector<int> entries) : name_(std::move(name)), entries_(std::move(entries)) {
    notes_["first"] = true;
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name_, entries_, notes_);
    archive& CEREAL_NVP(limit_);
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<int>& entries() const { return entries_; }
  [[nodiscard]] bool noted() const { return notes_.at("first"); }
  std::optional<double> limit_;

 private:
  std::string name_;
  std::vector<int> entries_;
  std::map<std::string, bool> notes_;
};

class split {
 public:
  explicit split(int v) : value_(v) {}
  template <class Archive>
  void save(Archive& archive) const {
    archive(value_ + 1);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(value_);
    --value_;
  }
  [[nodiscard]] int value() const { return value_; }

 private:
  friend class cereal::access;
  split() = default;  // only for cereal
  int value_ = 0;
};

struct free_function {
  explicit free_function(int v = 0) : hidden(v) {}
  int hidden;
};
template <class Archive>
void serialize(Archive& archive, free_function& value) {
  archive(value.hidden);
}

struct minimal {
  int value = 0;
  template <class Archive>
  [[nodiscard]] std::string save_minimal(const Archive&) const {
    return std::to_string(value);
  }
  template <class Archive>
  void load_minimal(const Archive&, const std::string& text) {
    value = std::stoi(text);
  }
};

/// An aggregate whose serialize function says what is to be sent: that is preferred to its members.
struct chosen {
  int sent = 0;
  int local = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sent);
  }
};

struct shape {
  virtual ~shape() = default;
  [[nodiscard]] virtual int corners() const = 0;
};
struct triangle final : shape {
  std::string label;
  [[nodiscard]] int corners() const override { return 3; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(label);
  }
};
struct drawing {
  std::vector<std::shared_ptr<shape>> shapes;
};

struct node {
  std::uint32_t id = 0;
  std::shared_ptr<node> left, right;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(id, left, right);
  }
};

/// Says that it wrote more items than it did.
struct liar {
  std::uint64_t claimed = 0;
  std::vector<std::uint64_t> items;
  template <class Archive>
  void save(Archive& archive) const {
    archive(cereal::make_size_tag(claimed));
  }
  template <class Archive>
  void load(Archive& archive) {
    std::uint64_t size = 0;
    archive(cereal::make_size_tag(size));
    items.resize(size);
  }
};

/// Items that cereal serializes, and that are far larger than their bytes.
struct spacious {
  std::array<char, 4000> room{};
  bool used = false;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(used);
  }
};
template <class Items>
struct boxes {
  Items items;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(items);
  }
};

/// Two types that shared pointers in one archive refer to.
struct small_thing {
  char value = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value);
  }
};
struct large_thing {
  std::array<std::string, 8> texts;
  template <class Archive>
  void serialize(Archive& archive) {
    for (auto& text : texts) archive(text);
  }
};
struct two_things {
  std::shared_ptr<small_thing> first;
  std::shared_ptr<large_thing> second;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(first, second);
  }
};

/// Can only be constructed from what was read, and may then refer to itself.
struct constructed_late {
  explicit constructed_late(std::string text) : text_(std::move(text)) {}
  std::string text_;
  std::shared_ptr<constructed_late> other;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(text_, other);
  }
  template <class Archive>
  static void load_and_construct(Archive& archive, cereal::construct<constructed_late>& construct) {
    std::string text;
    std::shared_ptr<constructed_late> other;
    archive(text, other);
    construct(text);
    construct->other = other;
  }
};
struct late_holder {
  std::shared_ptr<constructed_late> held;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(held);
  }
};

/// A list by way of cereal.
struct link {
  std::unique_ptr<link> next;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(next);
  }
};

struct throws_in_load {
  int unused = 0;
  template <class Archive>
  void save(Archive&) const {}
  template <class Archive>
  void load(Archive&) {
    throw cereal::Exception("no such thing");
  }
};

}  // namespace

CEREAL_REGISTER_TYPE(triangle)
CEREAL_REGISTER_POLYMORPHIC_RELATION(shape, triangle)

namespace {

TEST(CodecCereal, MemberSerialize) {
  account original("n", {1, 2});
  original.limit_ = 2.5;
  const account copy = round_trip(original);
  EXPECT_EQ(copy.name(), "n");
  EXPECT_EQ(copy.entries(), (std::vector<int>{1, 2}));
  EXPECT_TRUE(copy.noted());
  EXPECT_EQ(copy.limit_, 2.5);
}

TEST(CodecCereal, SaveAndLoadWithAPrivateConstructor) { EXPECT_EQ(round_trip(split(7)).value(), 7); }

TEST(CodecCereal, FreeSerialize) { EXPECT_EQ(round_trip(free_function(8)).hidden, 8); }

TEST(CodecCereal, Minimal) { EXPECT_EQ(round_trip(minimal{9}).value, 9); }

TEST(CodecCereal, ASerializeFunctionIsPreferredToTheMembers) {
  const chosen copy = round_trip(chosen{1, 2});
  EXPECT_EQ(copy.sent, 1);
  EXPECT_EQ(copy.local, 0);
}

TEST(CodecCereal, InContainersAndAggregates) {
  const auto copy = round_trip(std::map<std::string, std::vector<split>>{{"k", {split(1), split(2)}}});
  EXPECT_EQ(copy.at("k").at(1).value(), 2);
}

TEST(CodecCereal, PolymorphicPointersKeepTheirType) {
  auto made = std::make_shared<triangle>();
  made->label = "t";
  const drawing copy = round_trip(drawing{{made, nullptr}});
  ASSERT_EQ(copy.shapes.size(), 2U);
  EXPECT_EQ(copy.shapes[0]->corners(), 3);
  EXPECT_EQ(dynamic_cast<triangle&>(*copy.shapes[0]).label, "t");
  EXPECT_EQ(copy.shapes[1], nullptr);
}

TEST(CodecCereal, SharingWithinOneArchiveIsCereals) {
  node root;
  root.left = root.right = std::make_shared<node>();
  root.left->id = 5;
  const node copy = round_trip(root);
  EXPECT_EQ(copy.left, copy.right);
  EXPECT_EQ(copy.left->id, 5U);
}

TEST(CodecCereal, ASizeIsNotBelievedBeyondTheBytesAtHand) {
  tandem::writer out;
  tandem::encode(out, liar{std::uint64_t{1} << 40, {}});
  tandem::reader in(out.bytes());
  EXPECT_THROW(static_cast<void>(tandem::decode<liar>(in)), tandem::decode_error);
}

template <class T>
void refuse(const tandem::writer& out, const char* because) {
  tandem::reader in(out.bytes());
  try {
    static_cast<void>(tandem::decode<T>(in));
    FAIL();
  } catch (const tandem::decode_error& error) {
    EXPECT_NE(std::string(error.what()).find(because), std::string::npos) << error.what();
  }
}

TEST(CodecCereal, ItemsAreMadeAsTheyAreReadAndNotAheadByTheirCount) {
  boxes<std::vector<spacious>> in_vector{std::vector<spacious>(3)};
  in_vector.items[2].used = true;
  EXPECT_TRUE(round_trip(in_vector).items.at(2).used);
  boxes<std::list<spacious>> in_list{std::list<spacious>(3)};
  in_list.items.back().used = true;
  EXPECT_TRUE(round_trip(in_list).items.back().used);
  tandem::writer out;
  out.write_size(1'000'000);  // there are that many bytes, but the first is no bool
  for (int i = 0; i != 1'000'000; ++i) out.write_value('\2');
  refuse<boxes<std::vector<spacious>>>(out, "a bool");  // and takes no 4 GB: codec_corrupt_test counts
}

TEST(CodecCereal, ASharedPointerIsNotBelievedToBeOfAnotherType) {
  tandem::writer out;
  out.write_value(std::uint32_t{0x80000001});  // the first one is new, and has number 1
  out.write_value('x');
  out.write_value(std::uint32_t{1});  // the second one says that it is the same
  refuse<two_things>(out, "no object of its type");
}

TEST(CodecCereal, ASharedPointerIsNotBelievedBeforeItsObjectIsConstructed) {
  const auto text = std::string("long enough not to lie within the string itself");
  late_holder good{std::make_shared<constructed_late>(text)};
  good.held->other = std::make_shared<constructed_late>("other");
  EXPECT_EQ(round_trip(good).held->other->text_, "other");
  tandem::writer out;
  out.write_value(std::uint32_t{0x80000001});
  tandem::encode(out, text);
  out.write_value(std::uint32_t{1});  // itself
  refuse<late_holder>(out, "no object of its type");
}

TEST(CodecCereal, NestsNoDeeperThanTheStackAllows) {
  const auto list_of = [](int length) {
    link first;
    for (link* last = &first; length != 0; --length, last = last->next.get())
      last->next = std::make_unique<link>();
    return first;
  };
  int length = 0;
  const link copy = round_trip(list_of(990));
  for (const link* at = copy.next.get(); at != nullptr; at = at->next.get()) ++length;
  EXPECT_EQ(length, 990);
  tandem::writer refused;
  EXPECT_THROW(tandem::encode(refused, list_of(1100)), tandem::not_portable_error);
  tandem::writer out;
  for (int i = 0; i != 1'000'000; ++i) out.write_value('\1');
  refuse<link>(out, "nested");
}

TEST(CodecCereal, ItsExceptionsBecomeDecodeErrors) {
  tandem::writer out;
  tandem::encode(out, throws_in_load{});
  tandem::reader in(out.bytes());
  try {
    static_cast<void>(tandem::decode<throws_in_load>(in));
    FAIL();
  } catch (const tandem::decode_error& error) {
    EXPECT_NE(std::string(error.what()).find("no such thing"), std::string::npos) << error.what();
  }
}

}  // namespace
