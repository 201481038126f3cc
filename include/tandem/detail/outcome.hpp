// outcome<R>: how one call of many ended. A chunk of a map sends back one of them for each item.
#ifndef TANDEM_DETAIL_OUTCOME_HPP
#define TANDEM_DETAIL_OUTCOME_HPP

#include <tandem/codec.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace tandem::detail {

/// A value of type R (nothing for void) or the exception that came instead.
template <class R>
class outcome {
  static_assert(!std::is_reference_v<R>);

 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  /// Holds what `function` returns or throws.
  template <class Function>
  [[nodiscard]] static outcome of(Function&& function) noexcept(
      std::is_nothrow_move_constructible_v<value_type>) {
    try {
      if constexpr (std::is_void_v<R>) {
        std::forward<Function>(function)();
        return outcome(std::in_place);
      } else {
        return outcome(std::in_place, std::forward<Function>(function)());
      }
    } catch (...) {
      return outcome(std::current_exception());
    }
  }

  template <class... Args>
  explicit outcome(std::in_place_t, Args&&... args) : value_(std::in_place, std::forward<Args>(args)...) {}
  /// `error` is not null.
  explicit outcome(std::exception_ptr error) noexcept : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return value_.has_value(); }
  /// Null for a value.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return error_; }
  /// Only if has_value().
  [[nodiscard]] const value_type& value() const noexcept { return *value_; }
  [[nodiscard]] value_type& value() noexcept { return *value_; }
  /// Moves the value out, or throws the exception.
  R take() {
    if (error_) std::rethrow_exception(error_);
    if constexpr (!std::is_void_v<R>) return std::move(*value_);
  }

 private:
  std::optional<value_type> value_;
  std::exception_ptr error_;
};

}  // namespace tandem::detail

namespace tandem {

template <class R>
struct codec<detail::outcome<R>> {
  using value_type = typename detail::outcome<R>::value_type;
  using parts = detail::types<value_type>;
  static constexpr std::size_t min_size() { return 1; }

  static void encode(writer& out, const detail::outcome<R>& value) {
    detail::encode_flag(out, value.has_value());
    if (value.has_value()) {
      codec<value_type>::encode(out, value.value());
    } else {
      encode_exception(out, value.exception());
    }
  }

  static detail::outcome<R> decode(reader& in) {
    if (detail::decode_flag(in, "an outcome's tag")) {
      return detail::outcome<R>(std::in_place, codec<value_type>::decode(in));
    }
    std::exception_ptr error = decode_exception(in);
    if (!error) detail::throw_bad_byte("an outcome's exception", 0);
    return detail::outcome<R>(std::move(error));
  }
};

}  // namespace tandem

#endif  // TANDEM_DETAIL_OUTCOME_HPP
