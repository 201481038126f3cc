// Futures of other libraries: std::future and boost::future to and from tandem::future. Not part of tandem.hpp, for it
// brings in Boost.Thread's futures; whoever uses to_boost() or from_boost() links Boost::thread as well.
#ifndef TANDEM_INTEROP_HPP
#define TANDEM_INTEROP_HPP

#include <tandem/executor.hpp>
#include <tandem/future.hpp>
#include <tandem/this_task.hpp>

// Boost's old default calls it unique_future. Only this is set here, and not a newer BOOST_THREAD_VERSION, which would
// change what the destructor of boost::thread does.
#if !defined(BOOST_THREAD_VERSION) && !defined(BOOST_THREAD_PROVIDES_FUTURE)
#define BOOST_THREAD_PROVIDES_FUTURE
#endif
#include <boost/thread/future.hpp>

#ifndef BOOST_THREAD_PROVIDES_FUTURE
#error \
    "tandem/interop.hpp: a header of Boost.Thread has been included before, without boost::future: include tandem/interop.hpp first, or define BOOST_THREAD_PROVIDES_FUTURE or BOOST_THREAD_VERSION=4 for the whole program"
#endif

#include <exception>
#include <future>
#include <type_traits>
#include <utility>

namespace tandem {

namespace detail {

// Gives the outcome of a finished future to another library's promise; a cancel is an exception there.
template <class Promise, class Exception, class T>
void hand_over(future<T>& done, Promise& promise) {
  try {
    if constexpr (std::is_void_v<T>) {
      done.get();
      promise.set_value();
    } else {
      promise.set_value(done.get());
    }
  } catch (...) {
    promise.set_exception(Exception(std::current_exception()));
  }
}

// A task that waits for another library's future: a named type, so that messages can name it.
template <class Future>
class foreign_wait {
 public:
  explicit foreign_wait(Future future) : future_(std::move(future)) {}
  decltype(auto) operator()() {
    {
      const this_task::blocking_region blocked;
      future_.wait();
    }
    return future_.get();
  }

 private:
  Future future_;
};

template <class T, class Future>
[[nodiscard]] future<T> wait_for_foreign(executor& on, Future future, const char* call) {
  if (!future.valid()) throw_no_state(call);
  return on.submit(foreign_wait<Future>(std::move(future)));
}

}  // namespace detail

/// A std::future with the outcome of `f`, which is left without a state.
///
/// The value is moved, a reference stays the same reference, an exception stays the same object; a cancel is a
/// cancelled_error. No thread waits: the std::future becomes ready in the thread that ends `f`. Dropping it neither
/// blocks nor cancels, and get() on it inside a task is a plain block, of which no pool knows (see
/// this_task::blocking_region). Does not block. @throws invalid_state_error if `f` has no state
template <class T>
[[nodiscard]] std::future<T> to_std(future<T> f) {
  if (!f.valid()) detail::throw_no_state("to_std");
  std::promise<T> promise;
  std::future<T> result = promise.get_future();
  f.on_done([promise = std::move(promise)](future<T>& done) mutable {
    detail::hand_over<std::promise<T>, std::exception_ptr>(done, promise);
  });
  return result;
}

/// As to_std(), a boost::future: `to_boost(pool.submit(f)).then(g)`. Exceptions stay the same objects.
template <class T>
[[nodiscard]] boost::future<T> to_boost(future<T> f) {
  if (!f.valid()) detail::throw_no_state("to_boost");
  boost::promise<T> promise;
  boost::future<T> result = promise.get_future();
  f.on_done([promise = std::move(promise)](future<T>& done) mutable {
    detail::hand_over<boost::promise<T>, boost::exception_ptr>(done, promise);
  });
  return result;
}

/// A future with the outcome of a std::future, for then(), wait(), when_any() and as_completed().
///
/// A std::future tells nobody that it is ready, so a task of `on` waits for it, within a this_task::blocking_region: on a
/// thread_pool or a tbb_pool a spare worker takes its place, as long as there is one, and an inline_executor waits
/// here. `on` must run its tasks in this process; on a process_pool the outcome is
/// not_portable_error. A deferred std::async runs in the task. Cancelled before it has begun, `f` is dropped, which
/// blocks if it is of std::async. @throws invalid_state_error if `f` is not valid, and what submit() throws
template <class T>
[[nodiscard]] future<T> from_std(executor& on, std::future<T> f) {
  return detail::wait_for_foreign<T>(on, std::move(f), "from_std");
}

/// As from_std(), of a boost::future.
template <class T>
[[nodiscard]] future<T> from_boost(executor& on, boost::future<T> f) {
  return detail::wait_for_foreign<T>(on, std::move(f), "from_boost");
}

}  // namespace tandem

#endif
