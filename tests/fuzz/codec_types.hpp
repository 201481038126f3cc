// The types that the codec's fuzz target decodes: one or more of each kind that codec<T> knows, and the user's own ways
// of saying how a type crosses. Owns those; which of them an input is for, codec_fuzz.cpp says.
#ifndef TANDEM_TESTS_FUZZ_CODEC_TYPES_HPP
#define TANDEM_TESTS_FUZZ_CODEC_TYPES_HPP

#include <tandem/codec.hpp>
#include <tandem/detail/chunk_call.hpp>
#include <tandem/detail/outcome.hpp>

#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/polymorphic.hpp>
#include <cereal/types/vector.hpp>

#include <array>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tandem::fuzz {

enum class color : std::uint8_t { red, green };
enum class truth : bool { no, yes };

/// An aggregate with a bit of everything.
struct item {
  bool flag = false;
  truth sure = truth::no;
  std::string text;
  std::optional<double> number;
  std::variant<int, std::string, std::vector<bool>> choice;
  int scores[3] = {};
};

/// Contains itself, by way of a vector and of a pointer.
struct tree {
  int value = 0;
  std::vector<tree> children;
  std::unique_ptr<tree> left;
};

/// Contains itself by way of a variant, as JSON does.
struct json {
  std::variant<std::monostate, double, std::string, std::vector<json>, std::map<std::string, json>> value;
};

/// With a codec of the user's that contains itself.
struct chain {
  int value = 0;
  std::unique_ptr<chain> next;
};

/// A registered exception that holds another one.
struct holder_error {
  int code = 0;
  std::exception_ptr held;
};

// --- cereal's ---

struct account {
  std::string name;
  std::vector<int> entries;
  std::vector<std::string> lines;
  std::map<std::string, double> notes;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, entries, lines, notes);
  }
};

struct accounts {
  std::vector<account> all;
  std::list<account> others;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(all, others);
  }
};

struct cereal_list {
  int value = 0;
  std::unique_ptr<cereal_list> next;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value, next);
  }
};

struct leaf {
  char value = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value);
  }
};

struct shape {
  virtual ~shape() = default;
  [[nodiscard]] virtual std::size_t weight() const = 0;
};
struct triangle final : shape {
  std::string label;
  [[nodiscard]] std::size_t weight() const override { return label.size(); }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(label);
  }
};
struct polygon final : shape {
  std::array<double, 8> sides{};
  std::shared_ptr<leaf> center;
  [[nodiscard]] std::size_t weight() const override {
    return static_cast<std::size_t>(sides[7] > 0) + (center ? static_cast<unsigned char>(center->value) : 0U);
  }
  template <class Archive>
  void serialize(Archive& archive) {
    for (double& side : sides) archive(side);
    archive(center);
  }
};

/// Objects of several types that pointers share.
struct drawing {
  std::vector<std::shared_ptr<shape>> shapes;
  std::vector<std::shared_ptr<leaf>> leaves;
  std::shared_ptr<account> owner;
  std::unique_ptr<shape> front;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(shapes, leaves, owner, front);
  }
  /// Touches every object as what it says it is.
  [[nodiscard]] std::size_t weight() const {
    std::size_t sum = owner ? owner->name.size() : 0;
    for (const auto& s : shapes) sum += s ? s->weight() : 0;
    for (const auto& l : leaves) sum += l ? static_cast<unsigned char>(l->value) : 0U;
    return sum + (front ? front->weight() : 0);
  }
};

}  // namespace tandem::fuzz

CEREAL_REGISTER_TYPE_WITH_NAME(tandem::fuzz::triangle, "triangle")
CEREAL_REGISTER_TYPE_WITH_NAME(tandem::fuzz::polygon, "polygon")
CEREAL_REGISTER_POLYMORPHIC_RELATION(tandem::fuzz::shape, tandem::fuzz::triangle)
CEREAL_REGISTER_POLYMORPHIC_RELATION(tandem::fuzz::shape, tandem::fuzz::polygon)

template <>
struct tandem::codec<tandem::fuzz::chain> {
  static void encode(writer& out, const fuzz::chain& value) {
    tandem::encode(out, value.value);
    tandem::encode(out, value.next);
  }
  static fuzz::chain decode(reader& in) {
    fuzz::chain value;
    value.value = tandem::decode<int>(in);
    value.next = tandem::decode<std::unique_ptr<fuzz::chain>>(in);
    return value;
  }
};

#endif
