// Types that only cereal knows how to serialize.
#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <gtest/gtest.h>

#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cstdint>
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
