// Values that only cereal knows how to serialize: its archives over our writer and reader.
//
// Owns the two archives. The format is that of cereal's binary archive without the stream. Must not trust a
// length that cereal reads. Types with a serialize, save/load or *_minimal function, member or free, go
// through here.
#ifndef TANDEM_DETAIL_CODEC_CEREAL_HPP
#define TANDEM_DETAIL_CODEC_CEREAL_HPP

#include <tandem/config.hpp>
#include <tandem/detail/codec_buffer.hpp>

#include <cereal/cereal.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace cereal::memory_detail {
template <class T>
struct PtrWrapper;
}

namespace tandem {

template <class T>
struct codec;

namespace detail {

/// Inside a cereal archive, this type is left to codec<T>: cereal was not told how to serialize it, or
/// codec<T> does the same faster and with checked lengths. Defined in codec_core.hpp.
template <class T>
constexpr bool goes_around_cereal();

/// What cereal puts around values on their way, and pointers: no level of nesting of its own.
template <class T>
inline constexpr bool is_cereals_wrapper = false;
template <class T>
inline constexpr bool is_cereals_wrapper<cereal::NameValuePair<T>> = true;
template <class T>
inline constexpr bool is_cereals_wrapper<cereal::SizeTag<T>> = true;
template <class T>
inline constexpr bool is_cereals_wrapper<cereal::BinaryData<T>> = true;
template <class T>
inline constexpr bool is_cereals_wrapper<cereal::DeferredData<T>> = true;
template <class T>
inline constexpr bool is_cereals_wrapper<cereal::memory_detail::PtrWrapper<T>> = true;
template <class T>
inline constexpr bool is_cereals_wrapper<std::shared_ptr<T>> = true;
template <class T>
inline constexpr bool is_cereals_wrapper<std::weak_ptr<T>> = true;
template <class T, class Deleter>
inline constexpr bool is_cereals_wrapper<std::unique_ptr<T, Deleter>> = true;

/// Values of T may contain values of T, by way of cereal: counted on both sides.
template <class T>
inline constexpr bool nests_in_cereal = std::is_class_v<T> && !is_cereals_wrapper<T>;

/// cereal's way of writing to a writer.
class cereal_writer : public cereal::OutputArchive<cereal_writer, cereal::AllowEmptyClassElision> {
  using base = cereal::OutputArchive<cereal_writer, cereal::AllowEmptyClassElision>;

 public:
  explicit cereal_writer(writer& out) : base(this), out_(out) {}

  // Hide those of the base, through which serialize functions pass their members.
  template <class... Values>
  cereal_writer& operator()(Values&&... values) {
    (put(values), ...);
    return *this;
  }
  template <class Value>
  cereal_writer& operator&(Value&& value) {
    return (*this)(value);
  }
  template <class Value>
  cereal_writer& operator<<(Value&& value) {
    return (*this)(value);
  }

  void saveBinary(const void* data, std::size_t size) { out_.write(data, size); }
  [[nodiscard]] writer& out() noexcept { return out_; }

 private:
  template <class Value>
  void put(Value& value) {
    using value_type = std::remove_cv_t<Value>;
    if constexpr (goes_around_cereal<value_type>()) {
      codec<value_type>::encode(out_, value);
    } else if constexpr (nests_in_cereal<value_type>) {
      const nesting<writer> level(out_);
      base::operator()(value);
    } else {
      base::operator()(value);
    }
  }

  writer& out_;
};

/// cereal's way of reading from a reader.
class cereal_reader : public cereal::InputArchive<cereal_reader, cereal::AllowEmptyClassElision> {
  using base = cereal::InputArchive<cereal_reader, cereal::AllowEmptyClassElision>;

 public:
  explicit cereal_reader(reader& in) : base(this), in_(in) {}

  template <class... Values>
  cereal_reader& operator()(Values&&... values) {
    (get(values), ...);
    return *this;
  }
  template <class Value>
  cereal_reader& operator&(Value&& value) {
    return (*this)(value);
  }
  template <class Value>
  cereal_reader& operator>>(Value&& value) {
    return (*this)(value);
  }

  void loadBinary(void* data, std::size_t size) { in_.read(data, size); }
  [[nodiscard]] reader& in() noexcept { return in_; }

  /// Something is to be read later, to where it lies now.
  [[nodiscard]] bool has_deferred() const noexcept { return has_deferred_; }

  // Hide those of the base, where cereal's functions for shared pointers look up what a number in the message stands
  // for: they would believe that it is of the type that they expect, and that it is constructed.
  template <class T>
  void registerSharedPointer(std::uint32_t id, const std::shared_ptr<T>& pointer) {
    loading_->number = id & ~cereal::detail::msb_32bit;
    shared_[loading_->number] = {pointer, &typeid(T),
                                 !cereal::traits::has_load_and_construct<T, cereal_reader>::value};
  }
  [[nodiscard]] std::shared_ptr<void> getSharedPointer(std::uint32_t number) {
    if (number == 0) return nullptr;
    const auto found = shared_.find(number);
    if (found == shared_.end() || !found->second.constructed || *found->second.type != *loading_->type) {
      throw cereal::Exception("a shared pointer refers to number " + std::to_string(number) +
                              ", which is no object of its type");
    }
    return found->second.pointer;
  }

 private:
  struct shared_object {
    std::shared_ptr<void> pointer;
    const std::type_info* type = nullptr;
    bool constructed = false;
  };
  /// A shared pointer that is being loaded.
  struct shared_load {
    const std::type_info* type;
    std::uint32_t number = 0;  // of the object, if it is a new one
  };

  template <class Value>
  void get(Value& value) {
    if constexpr (goes_around_cereal<Value>()) {
      value = codec<Value>::decode(in_);
    } else if constexpr (nests_in_cereal<Value>) {
      const nesting<reader> level(in_);
      base::operator()(value);
    } else {
      base::operator()(value);
    }
  }
  template <class T>
  void get(cereal::DeferredData<T>& value) {
    has_deferred_ = true;
    base::operator()(value);
  }
  template <class T>
  void get(cereal::memory_detail::PtrWrapper<std::shared_ptr<T>&>& value) {
    shared_load here{&typeid(T)};
    shared_load* const outer = std::exchange(loading_, &here);
    base::operator()(value);  // if it throws, the archive is done with
    loading_ = outer;
    if (here.number != 0) shared_[here.number].constructed = true;
  }

  reader& in_;
  std::map<std::uint32_t, shared_object> shared_;
  shared_load* loading_ = nullptr;  // the innermost
  bool has_deferred_ = false;
};

template <class T>
  requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_writer& archive, const T& value) { archive.out().write_value(value); }
template <class T>
  requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto byte = archive.in().read_value<std::uint8_t>();
    if (byte > 1) throw_bad_byte("a bool", byte);
    value = byte != 0;
  } else {
    value = archive.in().template read_value<T>();
  }
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_writer& archive, const cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_writer& archive, const cereal::SizeTag<T>& tag) {
  archive.out().write_size(static_cast<std::size_t>(tag.size));
}
// Whoever asks for it resizes to what it reads here before he reads a single item: no item is believed to take less
// than a byte.
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, cereal::SizeTag<T>& tag) {
  tag.size = static_cast<std::remove_reference_t<T>>(archive.in().read_count(1));
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(cereal_writer& archive, const cereal::BinaryData<T>& data) {
  archive.saveBinary(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, cereal::BinaryData<T>& data) {
  archive.loadBinary(data.data, static_cast<std::size_t>(data.size));
}

// In place of cereal's, which resize to the number of items that the message claims: what is taken ahead is what the
// bytes at hand justify. In the same format.
template <class Sequence>
void load_items(cereal_reader& archive, Sequence& items) {
  using item = typename Sequence::value_type;
  reader& in = archive.in();
  const std::size_t count = in.read_count(1);
  items.clear();
  if constexpr (requires { items.reserve(count); }) items.reserve(in.reservation(count, sizeof(item)));
  for (std::size_t i = 0; i != count; ++i) {
    in.begin_item(sizeof(item));
    if constexpr (requires { items.capacity(); }) {
      if (archive.has_deferred() && items.size() == items.capacity())
        throw cereal::Exception("a vector with deferred data claims more items than its bytes justify");
    }
    archive(items.emplace_back());
  }
}
template <class T, class A>
  requires(!std::is_same_v<T, bool>)
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, std::vector<T, A>& items) {
  load_items(archive, items);
}
template <class T, class A>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, std::deque<T, A>& items) {
  load_items(archive, items);
}
template <class T, class A>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, std::list<T, A>& items) {
  load_items(archive, items);
}
template <class T, class A>
void CEREAL_LOAD_FUNCTION_NAME(cereal_reader& archive, std::forward_list<T, A>& items) {
  const std::size_t count = archive.in().read_count(1);
  items.clear();
  auto last = items.before_begin();
  for (std::size_t i = 0; i != count; ++i) {
    archive.in().begin_item(sizeof(T));
    last = items.emplace_after(last);
    archive(*last);
  }
}

/// cereal can write and read T, and make one to read into.
template <class T>
inline constexpr bool cereal_handles = std::is_class_v<T>&& std::is_move_constructible_v<T>&&
    cereal::traits::is_output_serializable<T, cereal_writer>::value&& cereal::traits::is_input_serializable<
        T, cereal_reader>::value&& cereal::traits::is_default_constructible<T>::value;

/// Rethrows the exception that is being handled: cereal's own as decode_error.
[[noreturn]] TANDEM_API void rethrow_cereal_error(const char* doing);

template <class T>
void encode_with_cereal(writer& out, const T& value) {
  const nesting<writer> level(out);
  cereal_writer archive(out);
  archive(value);
}

template <class T>
[[nodiscard]] T decode_with_cereal(reader& in) {
  const nesting<reader> level(in);
  try {
    cereal_reader archive(in);
    if constexpr (std::is_default_constructible_v<T>) {
      T value{};
      archive(value);
      return value;
    } else {
      // A private default constructor that only cereal::access may call.
      const std::unique_ptr<T> value(cereal::access::construct<T>());
      archive(*value);
      return std::move(*value);
    }
  } catch (const cereal::Exception&) {
    rethrow_cereal_error("decoding");
  }
}

}  // namespace detail
}  // namespace tandem

CEREAL_REGISTER_ARCHIVE(tandem::detail::cereal_writer)
CEREAL_REGISTER_ARCHIVE(tandem::detail::cereal_reader)
CEREAL_SETUP_ARCHIVE_TRAITS(tandem::detail::cereal_reader, tandem::detail::cereal_writer)

#endif  // TANDEM_DETAIL_CODEC_CEREAL_HPP
