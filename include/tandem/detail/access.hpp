// How the rooms of tandem get at the state behind a future, and make futures of states.
#ifndef TANDEM_DETAIL_ACCESS_HPP
#define TANDEM_DETAIL_ACCESS_HPP

#include <tandem/detail/core.hpp>
#include <tandem/detail/result.hpp>

#include <utility>

namespace tandem {

template <class T>
class future;
template <class T>
class shared_future;

namespace detail {

template <class T>
class future_base;

struct access {
  template <class T>
  static core* state(const future_base<T>& f) noexcept {
    return f.core_.get();
  }
  template <class T>
  static future<T> make_future(core_ptr<result<T>> core) noexcept {
    return future<T>(std::move(core));
  }
  template <class Handle>
  static Handle make(core_ptr<result<typename Handle::value_type>> core) noexcept {
    return Handle(std::move(core));
  }
};

}  // namespace detail
}  // namespace tandem

#endif
