// worker_local: one object for each thread that asks for it - scratch memory, a connection, a part of a sum - without
// a lock. What users see; the thread-specific storage is oneTBB's, behind src/worker_local/.
#ifndef TANDEM_WORKER_LOCAL_HPP
#define TANDEM_WORKER_LOCAL_HPP

#include <tandem/config.hpp>
#include <tandem/detail/local_values.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace tandem {

/// A T for each thread that calls local(): made when it first does, by the function given to the constructor.
///
/// Works on every thread, not only on workers; threads that run tasks one after the other use one T for all of them, so
/// what a task finds is what the last one on that thread has left. Each task of a thread or oneTBB pool sees the values
/// of this process. In a worker process a worker_local is that process's own (it is a global variable there, or a static
/// one): what the tasks leave in it does not come back to the submitting process.
///
///     tandem::worker_local<std::vector<char>> scratch;
///     pool.map([&](const page& p) { auto& buffer = scratch.local(); ... }, pages);
///
/// Values stay until clear() or until the worker_local is destroyed; the values of threads that have ended (a pool's
/// idle_timeout, resize(), its end) are kept, too, and a new thread always gets a new one. A task that waits for another
/// one may run that in place, on the same thread and with the same T: do not hold on to a half-changed value meanwhile.
///
/// local() may be called by any number of threads at once and takes some nanoseconds: a look-up in a hash table that never
/// waits for another thread, except for the first call of a thread, which makes the T. for_each(), combine(), size() and
/// clear() must not run beside local() or one another: call them when the tasks are done.
template <class T>
class worker_local {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "worker_local<T>: T must be an object that can change");

 public:
  /// Value-initialized: numbers are zero.
  worker_local() requires std::default_initializable<T> : worker_local([] { return T(); }) {}

  /// Each T is `make()`. It is called by the threads themselves, perhaps by several at once, and may throw: then so does
  /// local(), and the next call tries again. T need be neither movable nor copyable if `make` returns a T as it is made.
  template <class Make>
    requires(!std::same_as<std::decay_t<Make>, worker_local> && std::is_invocable_v<std::decay_t<Make>&> &&
             std::same_as<std::invoke_result_t<std::decay_t<Make>&>, T>)
  explicit worker_local(Make make)
      : factory_(std::make_unique<detail::local_factory_of<T, Make>>(std::move(make))) {}

  worker_local(const worker_local&) = delete;
  worker_local& operator=(const worker_local&) = delete;
  /// Destroys all values, on this thread. No thread may use them any more.
  ~worker_local() = default;

  /// The calling thread's T. The reference is good until clear().
  /// @throws what `make` throws; std::bad_alloc
  [[nodiscard]] T& local() {
    detail::local_value* mine = values_.find();
    if (mine == nullptr) mine = &values_.add(factory_->make());
    return static_cast<detail::local_value_of<T>*>(mine)->value;
  }

  /// How many threads have called local() since the start or the last clear().
  [[nodiscard]] std::size_t size() const { return values_.size(); }

  /// Calls `f(T&)` with each value, in no particular order.
  /// @throws what `f` throws
  template <std::invocable<T&> F>
  void for_each(F&& f) {
    auto call = [&f](detail::local_value& v) { f(static_cast<detail::local_value_of<T>&>(v).value); };
    values_.for_each([](detail::local_value& v, void* with) { (*static_cast<decltype(call)*>(with))(v); },
                     &call);
  }

  /// All values in one: `op(op(a, b), c)` in no particular order, so that `op` should be associative and commutative. The
  /// values stay. Without any, what `make` gives.
  /// @throws what `op` throws, what copying a T throws
  template <class Op>
    requires std::copyable<T> && std::is_invocable_r_v<T, Op&, const T&, const T&>
  [[nodiscard]] T combine(Op op) {
    const T* first = nullptr;
    for_each([&](T& value) { first = &value; });
    T all = first != nullptr ? T(*first) : factory_->make_one();
    for_each([&](T& value) {
      if (&value != first) all = op(std::as_const(all), std::as_const(value));
    });
    return all;
  }

  /// Destroys all values, on this thread; each thread's next local() makes a new one.
  void clear() noexcept { values_.clear(); }

 private:
  const std::unique_ptr<detail::local_factory<T>> factory_;
  detail::local_values values_;
};

}  // namespace tandem

#endif
