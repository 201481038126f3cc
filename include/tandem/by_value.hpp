// by_value: a lambda with captures that may be sent to another process.
//
// Owns the promise that the captures are plain values, and the check that they do not look like addresses.
#ifndef TANDEM_BY_VALUE_HPP
#define TANDEM_BY_VALUE_HPP

#include <tandem/detail/codec_core.hpp>

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tandem {

namespace detail {
/// Throws not_portable_error if an aligned word among `size` bytes is an address in memory of this process.
TANDEM_API void refuse_addresses(const void* bytes, std::size_t size, std::string_view type);
}  // namespace detail

/// Wraps a lambda whose captures are plain data, so that it can be sent to a worker process:
///
///     int factor = 3;
///     pool.submit(tandem::by_value([factor](int x) { return factor * x; }), 14);
///
/// The lambda must be trivially copyable: numbers, enums, arrays and structs of those; for strings and
/// containers pass arguments instead. Nothing captured may be a pointer or a reference. The compiler does not
/// tell what a lambda captures, so that is checked when it is sent: a captured word that is the address of
/// mapped memory of this process is refused with not_portable_error. A number that happens to be such an
/// address (above 2^44) is refused too; pass it as an argument. Not recognized are the addresses of globals
/// and of the heap in programs linked without PIE, which are too low to be told from numbers.
template <class F>
class by_value {
  static_assert(std::is_class_v<F>, "tandem::by_value is for lambdas: functions need no wrapping");
  static_assert(
      std::is_trivially_copyable_v<F>,
      "tandem::by_value needs a lambda whose captures are plain data: pass strings and containers as "
      "arguments");

 public:
  /// Takes the lambda.
  explicit constexpr by_value(F f) noexcept : f_(f) {}

  /// Calls the lambda.
  template <class... Args>
    requires std::is_invocable_v<F&, Args...>
  constexpr decltype(auto) operator()(Args&&... args) { return f_(std::forward<Args>(args)...); }
  /// Calls the lambda, if it is not mutable.
  template <class... Args>
    requires std::is_invocable_v<const F&, Args...>
  constexpr decltype(auto) operator()(Args&&... args) const { return f_(std::forward<Args>(args)...); }

 private:
  friend struct codec<by_value>;
  F f_;
};

/// How the closure crosses: as the bytes of its captures.
template <class F>
struct codec<by_value<F>> {
  /// Bytes that it takes at least.
  static constexpr std::size_t min_size() { return std::is_empty_v<F> ? 0 : sizeof(F); }

  /// Writes the captures. @throws not_portable_error if one is an address
  static void encode(writer& out, const by_value<F>& value) {
    if constexpr (!std::is_empty_v<F>) {
      detail::refuse_addresses(&value.f_, sizeof(F), detail::type_name<F>());
      out.write(&value.f_, sizeof(F));
    }
  }

  /// Reads what encode() wrote. @throws decode_error if it is cut short
  static by_value<F> decode([[maybe_unused]] reader& in) {
    detail::raw_value<F> raw;
    if constexpr (!std::is_empty_v<F>) in.read(static_cast<void*>(&raw.value), sizeof(F));
    return by_value<F>(raw.value);
  }
};

}  // namespace tandem

#endif  // TANDEM_BY_VALUE_HPP
