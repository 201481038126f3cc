// How fork-join gets into a pool.
#ifndef TANDEM_DETAIL_RUN_ON_HPP
#define TANDEM_DETAIL_RUN_ON_HPP

#include <tandem/detail/fork_place.hpp>
#include <tandem/thread_pool.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace tandem::detail {

/// Calls `f()` as a task of the pool and waits; here, if the caller is one. An exception is the caller's alone: the task does not keep
/// it, whose last owner a worker might then be while the caller still reads it.
template <class F>
std::invoke_result_t<F&> run_on(thread_pool& pool, F&& f) {
  using result_type = std::invoke_result_t<F&>;
  if (fork_place::of(pool.owner()) != nullptr) return f();
  std::exception_ptr error;
  if constexpr (std::is_void_v<result_type>) {
    pool.submit([&] {
          try {
            f();
          } catch (...) {
            error = std::current_exception();
          }
        })
        .get();
    if (error != nullptr) std::rethrow_exception(std::move(error));
  } else {
    std::optional<result_type> result;
    pool.submit([&] {
          try {
            result.emplace(f());
          } catch (...) {
            error = std::current_exception();
          }
        })
        .get();
    if (error != nullptr) std::rethrow_exception(std::move(error));
    return std::move(*result);
  }
}

}  // namespace tandem::detail

#endif
