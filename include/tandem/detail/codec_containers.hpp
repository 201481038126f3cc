// Codecs of the standard's strings and containers: a count, then the items.
//
// Owns never allocating more than the bytes at hand justify: a count is checked against the fewest bytes that
// so many items can take, and memory is reserved for what the bytes left could fill, not for what the count
// claims.
#ifndef TANDEM_DETAIL_CODEC_CONTAINERS_HPP
#define TANDEM_DETAIL_CODEC_CONTAINERS_HPP

#include <tandem/detail/codec_core.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <deque>
#include <forward_list>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tandem {
namespace detail {

/// Reads values out of bytes that are not aligned: constructs a container from a message without first
/// filling it with zeros.
template <class T>
class unaligned_iterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = const T*;
  using reference = T;

  unaligned_iterator() noexcept = default;
  explicit unaligned_iterator(const std::byte* at) noexcept : at_(at) {}

  [[nodiscard]] T operator*() const noexcept {
    raw_value<T> raw;
    std::memcpy(static_cast<void*>(std::addressof(raw.value)), at_, sizeof(T));
    return raw.value;
  }
  unaligned_iterator& operator++() noexcept { return *this += 1; }
  unaligned_iterator operator++(int) noexcept {
    const unaligned_iterator old = *this;
    ++*this;
    return old;
  }
  unaligned_iterator& operator+=(std::ptrdiff_t n) noexcept {
    at_ += n * static_cast<std::ptrdiff_t>(sizeof(T));
    return *this;
  }
  friend unaligned_iterator operator+(unaligned_iterator i, std::ptrdiff_t n) noexcept { return i += n; }
  friend std::ptrdiff_t operator-(unaligned_iterator a, unaligned_iterator b) noexcept {
    return (a.at_ - b.at_) / static_cast<std::ptrdiff_t>(sizeof(T));
  }
  friend bool operator==(unaligned_iterator a, unaligned_iterator b) noexcept { return a.at_ == b.at_; }

 private:
  const std::byte* at_ = nullptr;
};

template <class T>
[[nodiscard]] T decode_item(reader& in) {
  if constexpr (detail::min_size<T>() == 0) in.begin_item(sizeof(T));
  return decode_nested<std::remove_cv_t<T>>(in);
}

template <class Allocator>
inline constexpr obstacle helper_flaw =
    std::is_default_constructible_v<Allocator> ? obstacle::none : obstacle::helper_object;

/// A comparison or hash is not sent: the other side makes its own, which must be the same.
template <class Helper>
inline constexpr obstacle stateless_flaw =
    std::is_default_constructible_v<Helper>&& std::is_empty_v<Helper> ? obstacle::none
                                                                      : obstacle::helper_object;

constexpr obstacle first_flaw(std::initializer_list<obstacle> flaws) {
  for (const obstacle flaw : flaws) {
    if (flaw != obstacle::none) return flaw;
  }
  return obstacle::none;
}

/// What lies in one piece: strings, vectors. `Container` is constructible from two iterators.
template <class Container>
struct contiguous_codec {
  using item = typename Container::value_type;
  using parts = types<item>;
  static constexpr obstacle flaw = helper_flaw<typename Container::allocator_type>;
  static constexpr bool bulk = bytewise<item>;
  static constexpr std::size_t min_size() { return sizeof(std::uint64_t); }

  static void encode(writer& out, const Container& values) {
    out.write_size(values.size());
    if constexpr (bytewise<item>) {
      out.write(values.data(), values.size() * sizeof(item));
    } else {
      for (const item& value : values) encode_nested<item>(out, value);
    }
  }

  static Container decode(reader& in) {
    const std::size_t count = in.read_count(detail::min_size<item>());
    if constexpr (bytewise<item>) {
      const std::byte* const begin = in.take(count * sizeof(item)).data();
      if constexpr (std::is_same_v<item, char> || std::is_same_v<item, unsigned char> ||
                    std::is_same_v<item, std::byte>) {
        const auto* const first = reinterpret_cast<const item*>(begin);  // these may alias anything
        return Container(first, first + count);
      } else {
        const unaligned_iterator<item> first(begin);
        return Container(first, first + static_cast<std::ptrdiff_t>(count));
      }
    } else {
      Container values;
      values.reserve(in.reservation(count, sizeof(item)));
      for (std::size_t i = 0; i != count; ++i) values.push_back(decode_item<item>(in));
      return values;
    }
  }
};

/// What grows at the end: deque, list.
template <class Container>
struct sequence_codec {
  using item = typename Container::value_type;
  using parts = types<item>;
  static constexpr obstacle flaw = helper_flaw<typename Container::allocator_type>;
  static constexpr std::size_t min_size() { return sizeof(std::uint64_t); }

  static void encode(writer& out, const Container& values) {
    out.write_size(values.size());
    for (const item& value : values) encode_nested<item>(out, value);
  }

  static Container decode(reader& in) {
    const std::size_t count = in.read_count(detail::min_size<item>());
    Container values;
    for (std::size_t i = 0; i != count; ++i) values.push_back(decode_item<item>(in));
    return values;
  }
};

template <class Container>
struct set_codec {
  using item = typename Container::value_type;
  using parts = types<item>;
  static constexpr std::size_t min_size() { return sizeof(std::uint64_t); }

  static void encode(writer& out, const Container& values) {
    out.write_size(values.size());
    for (const item& value : values) encode_nested<item>(out, value);
  }

  static Container decode(reader& in) {
    const std::size_t count = in.read_count(detail::min_size<item>());
    Container values;
    if constexpr (requires { values.reserve(count); }) values.reserve(in.reservation(count, sizeof(item)));
    for (std::size_t i = 0; i != count; ++i) values.emplace_hint(values.end(), decode_item<item>(in));
    return values;
  }
};

template <class Container>
struct map_codec {
  using key = typename Container::key_type;
  using mapped = typename Container::mapped_type;
  using parts = types<key, mapped>;
  static constexpr std::size_t min_size() { return sizeof(std::uint64_t); }

  static void encode(writer& out, const Container& values) {
    out.write_size(values.size());
    for (const auto& [k, v] : values) {
      encode_nested<key>(out, k);
      encode_nested<mapped>(out, v);
    }
  }

  static Container decode(reader& in) {
    const std::size_t count = in.read_count(detail::min_size<key>() + detail::min_size<mapped>());
    Container values;
    if constexpr (requires { values.reserve(count); }) {
      values.reserve(in.reservation(count, sizeof(key) + sizeof(mapped)));
    }
    for (std::size_t i = 0; i != count; ++i) {
      key k = decode_item<key>(in);
      values.emplace_hint(values.end(), std::move(k), decode_item<mapped>(in));
    }
    return values;
  }
};

}  // namespace detail

template <class C, class Traits, class A>
struct codec<std::basic_string<C, Traits, A>> : detail::contiguous_codec<std::basic_string<C, Traits, A>> {};

template <class T, class A>
struct codec<std::vector<T, A>> : detail::contiguous_codec<std::vector<T, A>> {};

/// Eight to the byte.
template <class A>
struct codec<std::vector<bool, A>> {
  using parts = detail::types<>;
  static constexpr detail::obstacle flaw = detail::helper_flaw<A>;
  static constexpr bool bulk = true;
  static constexpr std::size_t min_size() { return sizeof(std::uint64_t); }

  static void encode(writer& out, const std::vector<bool, A>& values) {
    out.write_size(values.size());
    for (std::size_t i = 0; i < values.size(); i += 8) {
      unsigned packed = 0;
      for (std::size_t bit = 0; bit < 8 && i + bit < values.size(); ++bit) {
        packed |= (values[i + bit] ? 1U : 0U) << bit;
      }
      out.write_value(static_cast<std::uint8_t>(packed));
    }
  }

  static std::vector<bool, A> decode(reader& in) {
    const auto count = in.template read_value<std::uint64_t>();
    if (count / 8 > in.remaining()) detail::throw_bad_count(count, 0, in.remaining());
    const auto packed = in.take(static_cast<std::size_t>(count / 8 + (count % 8 != 0 ? 1 : 0)));
    std::vector<bool, A> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = (std::to_integer<unsigned>(packed[i / 8]) >> (i % 8) & 1U) != 0;
    }
    return values;
  }
};

template <class T, std::size_t N>
struct codec<std::array<T, N>> {
  using parts = detail::types<T>;
  // An empty one has no items, but a size.
  static constexpr bool bytewise = N != 0 && detail::bytewise<T>;
  static constexpr std::size_t min_size() { return N * detail::min_size<T>(); }

  static void encode(writer& out, const std::array<T, N>& values) {
    if constexpr (bytewise) {
      out.write(values.data(), N * sizeof(T));
    } else {
      for (const T& value : values) detail::encode_nested<std::remove_cv_t<T>>(out, value);
    }
  }

  static std::array<T, N> decode(reader& in) {
    if constexpr (bytewise) {
      return detail::decode_bytes<std::array<T, N>>(in);
    } else if constexpr (N > 64 && std::is_default_constructible_v<T> && std::is_move_assignable_v<T>) {
      std::array<T, N> values{};  // a braced list of so many would take the compiler too long
      for (T& value : values) value = detail::decode_item<T>(in);
      return values;
    } else {
      return [&in]<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<T, N>{(static_cast<void>(I), detail::decode_item<T>(in))...};
      }
      (std::make_index_sequence<N>{});
    }
  }
};

template <class T, class A>
struct codec<std::deque<T, A>> : detail::sequence_codec<std::deque<T, A>> {};

template <class T, class A>
struct codec<std::list<T, A>> : detail::sequence_codec<std::list<T, A>> {};

template <class T, class A>
struct codec<std::forward_list<T, A>> {
  using parts = detail::types<T>;
  static constexpr detail::obstacle flaw = detail::helper_flaw<A>;
  static constexpr std::size_t min_size() { return sizeof(std::uint64_t); }

  static void encode(writer& out, const std::forward_list<T, A>& values) {
    out.write_size(static_cast<std::size_t>(std::distance(values.begin(), values.end())));
    for (const T& value : values) detail::encode_nested<T>(out, value);
  }

  static std::forward_list<T, A> decode(reader& in) {
    const std::size_t count = in.read_count(detail::min_size<T>());
    std::forward_list<T, A> values;
    auto last = values.before_begin();
    for (std::size_t i = 0; i != count; ++i) last = values.emplace_after(last, detail::decode_item<T>(in));
    return values;
  }
};

template <class K, class Less, class A>
struct codec<std::set<K, Less, A>> : detail::set_codec<std::set<K, Less, A>> {
  static constexpr detail::obstacle flaw =
      detail::first_flaw({detail::helper_flaw<A>, detail::stateless_flaw<Less>});
};

template <class K, class Less, class A>
struct codec<std::multiset<K, Less, A>> : detail::set_codec<std::multiset<K, Less, A>> {
  static constexpr detail::obstacle flaw =
      detail::first_flaw({detail::helper_flaw<A>, detail::stateless_flaw<Less>});
};

template <class K, class V, class Less, class A>
struct codec<std::map<K, V, Less, A>> : detail::map_codec<std::map<K, V, Less, A>> {
  static constexpr detail::obstacle flaw =
      detail::first_flaw({detail::helper_flaw<A>, detail::stateless_flaw<Less>});
};

template <class K, class V, class Less, class A>
struct codec<std::multimap<K, V, Less, A>> : detail::map_codec<std::multimap<K, V, Less, A>> {
  static constexpr detail::obstacle flaw =
      detail::first_flaw({detail::helper_flaw<A>, detail::stateless_flaw<Less>});
};

template <class K, class Hash, class Equal, class A>
struct codec<std::unordered_set<K, Hash, Equal, A>>
    : detail::set_codec<std::unordered_set<K, Hash, Equal, A>> {
  static constexpr detail::obstacle flaw = detail::first_flaw(
      {detail::helper_flaw<A>, detail::stateless_flaw<Hash>, detail::stateless_flaw<Equal>});
};

template <class K, class Hash, class Equal, class A>
struct codec<std::unordered_multiset<K, Hash, Equal, A>>
    : detail::set_codec<std::unordered_multiset<K, Hash, Equal, A>> {
  static constexpr detail::obstacle flaw = detail::first_flaw(
      {detail::helper_flaw<A>, detail::stateless_flaw<Hash>, detail::stateless_flaw<Equal>});
};

template <class K, class V, class Hash, class Equal, class A>
struct codec<std::unordered_map<K, V, Hash, Equal, A>>
    : detail::map_codec<std::unordered_map<K, V, Hash, Equal, A>> {
  static constexpr detail::obstacle flaw = detail::first_flaw(
      {detail::helper_flaw<A>, detail::stateless_flaw<Hash>, detail::stateless_flaw<Equal>});
};

template <class K, class V, class Hash, class Equal, class A>
struct codec<std::unordered_multimap<K, V, Hash, Equal, A>>
    : detail::map_codec<std::unordered_multimap<K, V, Hash, Equal, A>> {
  static constexpr detail::obstacle flaw = detail::first_flaw(
      {detail::helper_flaw<A>, detail::stateless_flaw<Hash>, detail::stateless_flaw<Equal>});
};

}  // namespace tandem

#endif  // TANDEM_DETAIL_CODEC_CONTAINERS_HPP
