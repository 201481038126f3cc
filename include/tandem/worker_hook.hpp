// worker_hook: a function without arguments that worker processes, or the process that they are forked from, shall call.
#ifndef TANDEM_WORKER_HOOK_HPP
#define TANDEM_WORKER_HOOK_HPP

#include <tandem/codec.hpp>
#include <tandem/config.hpp>
#include <tandem/detail/remote.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

namespace tandem {

namespace detail {
struct hook_access;
}

/// A function without arguments that each worker calls: a function pointer, a lambda without captures, or a
/// by_value closure. Empty: nothing is called.
class TANDEM_API worker_hook {
 public:
  /// Calls nothing.
  worker_hook() noexcept = default;
  /// Calls nothing.
  worker_hook(std::nullptr_t) noexcept {}  // NOLINT: as std::function

  /// Throws what encoding the callable throws.
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, worker_hook> && std::invocable<std::decay_t<F>>)
  worker_hook(F&& f) {  // NOLINT: `.initializer = f` is the point
    using function = std::decay_t<F>;
    detail::remote_call<discarding<function>, function>::require();
    writer out;
    detail::remote_call<discarding<function>, function>::encode(out, {}, function(std::forward<F>(f)));
    const auto bytes = out.bytes();
    call_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    name_ = detail::remote_call<discarding<function>, function>::name();
    set_ = true;
  }

  /// Tells whether there is a function.
  [[nodiscard]] explicit operator bool() const noexcept { return set_; }

 private:
  friend struct detail::hook_access;

  template <class F>
  struct discarding {
    void operator()(F f) const { static_cast<void>(f()); }
  };

  detail::function_name name_;
  std::string call_;  // encoded
  bool set_ = false;
};

}  // namespace tandem

#endif
