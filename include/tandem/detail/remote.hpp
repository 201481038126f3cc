// A call that can happen in another process: its thunk, and how its parts are sent there and its result back.
//
// Owns remote_call, which the task layer instantiates for each submitted (callable, arguments), and the
// thunk's registration under its name. Must not know how messages travel.
#ifndef TANDEM_DETAIL_REMOTE_HPP
#define TANDEM_DETAIL_REMOTE_HPP

#include <tandem/by_value.hpp>
#include <tandem/codec.hpp>
#include <tandem/detail/codec_function.hpp>
#include <tandem/detail/function_name.hpp>
#include <tandem/detail/task_call.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tandem::detail {

template <bool Invocable, class F, class... Args>
struct remote_result {
  using type = void;
};
template <class F, class... Args>
struct remote_result<true, F, Args...> {
  using raw = task_call_result_t<F, Args...>;
  // As the future stores it: no rvalue reference, no const.
  using type = std::conditional_t<std::is_lvalue_reference_v<raw>, raw, std::remove_cvref_t<raw>>;
};

/// Which part of a call cannot be sent.
enum class call_part : unsigned char { none, not_invocable, callable, argument, result };

struct call_verdict {
  call_part part = call_part::none;
  std::size_t position = 0;  ///< Of the argument, from 1.
  verdict why;
};

/// Says it in a sentence: "argument 2: `int*` is a pointer ...".
[[nodiscard]] TANDEM_API std::string explain(const call_verdict& why);

template <class F, class... Args>
constexpr call_verdict examine_call() {
  if constexpr (!task_callable<F, Args...>) {
    return {call_part::not_invocable, 0, {}};
  } else {
    if (!argument_portability<F>) return {call_part::callable, 0, argument_portability<F>};
    const verdict arguments[] = {argument_portability<Args>..., verdict{}};
    for (std::size_t i = 0; i != sizeof...(Args); ++i) {
      if (!arguments[i]) return {call_part::argument, i + 1, arguments[i]};
    }
    using result = typename remote_result<true, F, Args...>::type;
    if constexpr (!std::is_void_v<result>) {
      if (!portability<result>) return {call_part::result, 0, portability<result>};
    }
    return {};
  }
}

/// One call of `F` with `Args`, all decayed, as rvalues: `call_in_task(std::move(f), std::move(args)...)`.
///
/// Hidden, so that every module has thunks of its own and registers those: names stay right whichever
/// libraries are loaded in which order.
template <class F, class... Args>
struct [[gnu::visibility("hidden")]] remote_call {
  static_assert(std::is_same_v<F, std::decay_t<F>> && (std::is_same_v<Args, std::decay_t<Args>> && ...));

  using result = typename remote_result<task_callable<F, Args...>, F, Args...>::type;

  static constexpr call_verdict verdict = examine_call<F, Args...>();

  /// Callable, arguments and result can all be sent.
  static constexpr bool portable = verdict.part == call_part::none;

  /// Says why `portable` is false, for not_portable_error; empty if it is true.
  [[nodiscard]] static const char* why_not() noexcept {
    try {
      static const std::string text = explain(verdict);
      return text.c_str();
    } catch (...) {
      return "out of memory";
    }
  }

  /// Stops the compilation with the reason unless `portable`.
  static constexpr void require() {
    require_no_obstacle<F, argument_portability<F>.what>();
    (require_no_obstacle<Args, argument_portability<Args>.what>(), ...);
    if constexpr (!std::is_void_v<result>) require_portable<result>();
  }

  /// Appends what the thunk decodes. Throws what codecs throw, and not_portable_error.
  static void encode(writer & out, const F& f, const Args&... args) {
    argument_codec<F>::encode(out, f);
    (argument_codec<Args>::encode(out, args), ...);
  }

  /// Runs in the worker. See remote_thunk_fn.
  static void thunk(reader & in, writer & out, remote_phase & phase) {
    static_cast<void>(&registration);  // instantiates it
    phase = remote_phase::decode_arguments;
    // A braced list is evaluated from left to right.
    std::tuple<F, Args...> parts{argument_codec<F>::decode(in), argument_codec<Args>::decode(in)...};
    in.expect_end();
    const auto call = [](F& f, Args&... args) -> decltype(auto) {
      return call_in_task(std::move(f), std::move(args)...);
    };
    phase = remote_phase::run;
    if constexpr (std::is_void_v<result>) {
      std::apply(call, parts);
      phase = remote_phase::encode_result;
    } else {
      const result value = std::apply(call, parts);
      phase = remote_phase::encode_result;
      codec<result>::encode(out, value);
    }
  }

  /// Returns what the thunk is called; asks once.
  [[nodiscard]] static function_name name() {
    static const function_name cached = name_function(reinterpret_cast<const void*>(&thunk));
    return cached;
  }

  /// Reads what the thunk wrote; that nothing comes behind it is for the caller to check, who has the value then. Throws
  /// decode_error.
  static result decode_result([[maybe_unused]] reader & in) {
    if constexpr (!std::is_void_v<result>) return codec<result>::decode(in);
  }

  inline static const thunk_registration registration{&thunk};
};

}  // namespace tandem::detail

namespace tandem {

/// `f(args...)` can run in another process: callable, arguments and result are portable.
///
/// A callable may also be a function or member pointer, a lambda without captures, any other function object
/// without members, or a by_value closure; so may an argument.
template <class F, class... Args>
concept remote_callable = detail::remote_call<std::decay_t<F>, std::decay_t<Args>...>::portable;

}  // namespace tandem

#endif  // TANDEM_DETAIL_REMOTE_HPP
