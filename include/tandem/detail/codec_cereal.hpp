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
#include <memory>
#include <type_traits>
#include <utility>

namespace tandem {

template <class T>
struct codec;

namespace detail {

/// Inside a cereal archive, this type is left to codec<T>: cereal was not told how to serialize it, or
/// codec<T> does the same faster and with checked lengths. Defined in codec_core.hpp.
template <class T>
constexpr bool goes_around_cereal();

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

 private:
  template <class Value>
  void get(Value& value) {
    if constexpr (goes_around_cereal<Value>()) {
      value = codec<Value>::decode(in_);
    } else {
      base::operator()(value);
    }
  }

  reader& in_;
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
// cereal resizes to what it reads here before it reads a single item: no item is believed to take less than a
// byte.
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
