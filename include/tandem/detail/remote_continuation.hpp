// How a continuation runs in another process: as a call of its function with the predecessor's value.
#ifndef TANDEM_DETAIL_REMOTE_CONTINUATION_HPP
#define TANDEM_DETAIL_REMOTE_CONTINUATION_HPP

#include <tandem/detail/continuation.hpp>
#include <tandem/detail/remote.hpp>
#include <tandem/detail/task.hpp>

#include <type_traits>

namespace tandem::detail {

template <class F, class T>
struct value_remote_call {
  using type = remote_call<F, T>;
};
template <class F>
struct value_remote_call<F, void> {
  using type = remote_call<F>;
};

template <remote_mode Mode, class F, class Handle>
struct remote_continuation {
  using value_type = typename Handle::value_type;
  using call = typename value_remote_call<F, value_type>::type;
  static constexpr bool of_value = then_call<F, Handle>::of_value;

  template <class Continuation>
  static const remote_ops* ops() noexcept {
    if constexpr (Mode == remote_mode::never || !of_value) {
      return nullptr;
    } else if constexpr (!call::portable) {
      static_assert(Mode != remote_mode::required || call::portable);
      return nullptr;
    } else {
      static constexpr remote_ops table{&call::name, &encode<Continuation>, &decode<Continuation>};
      return &table;
    }
  }

  template <class Continuation>
  static const char* why_not() noexcept {
    if constexpr (!of_value) {
      return "its function takes the finished future, not the value";
    } else {
      return call::why_not();
    }
  }

 private:
  template <class Continuation>
  static void encode(const core& self, writer& out) {
    // The task is ours while it is started; const is for those that only look at their parts.
    auto& me = const_cast<Continuation&>(static_cast<const Continuation&>(self));
    if constexpr (std::is_void_v<value_type>) {
      call::encode(out, me.function());
    } else {
      call::encode(out, me.function(), me.value_to_send());
    }
  }
  template <class Continuation>
  static void decode(core& self, reader& in) {
    static_cast<Continuation&>(self).emplace_from([&in]() ->
                                                  typename call::result { return call::decode_result(in); });
    in.expect_end();
  }
};

}  // namespace tandem::detail

#endif
