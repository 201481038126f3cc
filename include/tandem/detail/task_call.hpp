// How a task calls its function: with its arguments; or, if that is not possible, with its stop token in front of them.
#ifndef TANDEM_DETAIL_TASK_CALL_HPP
#define TANDEM_DETAIL_TASK_CALL_HPP

#include <tandem/this_task.hpp>

#include <functional>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace tandem::detail {

// Lazily: with the token a function is looked at only if it cannot be called without. A generic one need not compile
// for it.
template <class F, class... Args>
inline constexpr bool takes_stop_token = std::conjunction_v<std::negation<std::is_invocable<F, Args...>>,
                                                            std::is_invocable<F, std::stop_token, Args...>>;

template <class F, class... Args>
inline constexpr bool task_callable =
    std::disjunction_v<std::is_invocable<F, Args...>, std::is_invocable<F, std::stop_token, Args...>>;

template <class F, class... Args>
struct task_call_result
    : std::conditional_t<takes_stop_token<F, Args...>, std::invoke_result<F, std::stop_token, Args...>,
                         std::invoke_result<F, Args...>> {};
template <class F, class... Args>
using task_call_result_t = typename task_call_result<F, Args...>::type;

template <class F, class... Args>
decltype(auto) call_in_task(F&& f, Args&&... args) {
  if constexpr (takes_stop_token<F, Args...>) {
    return std::invoke(std::forward<F>(f), this_task::stop_token(), std::forward<Args>(args)...);
  } else {
    return std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  }
}

}  // namespace tandem::detail

#endif
