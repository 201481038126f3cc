// What then() makes: a task that waits for another one's outcome and is its callback at the same time, in one
// allocation. Knows the executor it shall run on only as a sink; what another process needs to run it is the sink's
// affair (the Remote parameter).
#ifndef TANDEM_DETAIL_CONTINUATION_HPP
#define TANDEM_DETAIL_CONTINUATION_HPP

#include <tandem/detail/access.hpp>
#include <tandem/detail/context.hpp>
#include <tandem/detail/core.hpp>
#include <tandem/detail/result.hpp>
#include <tandem/detail/task_sink.hpp>
#include <tandem/error.hpp>

#include <atomic>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace tandem {

namespace detail {

[[noreturn]] TANDEM_API void throw_consumed();

/// What is left of a future of a future of ...
template <class T>
struct unwrapped {
  using type = T;
};
template <class T>
struct unwrapped<future<T>> : unwrapped<T> {};
template <class T>
using unwrapped_t = typename unwrapped<T>::type;

template <class T>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<future<T>> = true;

/// What then() knows of its predecessor: how its value is handed over, and as what it stands itself.
template <class Handle>
struct predecessor;

template <class T>
struct predecessor<future<T>> {
  using value_type = T;
  using argument = T;
  static T take(result<T>& done) {
    if (!done.consume()) throw_consumed();
    return done.take();
  }
};
template <class T>
struct predecessor<shared_future<T>> {
  using value_type = T;
  using argument = std::conditional_t<std::is_void_v<T> || std::is_reference_v<T>, T, const T&>;
  static argument take(result<T>& done) { return done.get(); }
};

template <class F, class Argument>
struct value_call {
  static constexpr bool possible = std::is_invocable_v<F, Argument>;
  using result = std::invoke_result<F, Argument>;
};
template <class F, class Argument>
  requires std::is_void_v<Argument>
struct value_call<F, Argument> {
  static constexpr bool possible = std::is_invocable_v<F>;
  using result = std::invoke_result<F>;
};

/// A function for then(): of the value, or of the finished future. The value is preferred where both would do.
template <class F, class Handle>
struct then_call {
  using argument = typename predecessor<Handle>::argument;
  static constexpr bool of_value = value_call<F, argument>::possible;
  // Lazily: a generic function that takes the value need not compile for the future.
  static constexpr bool possible =
      std::disjunction_v<std::bool_constant<of_value>, std::is_invocable<F, Handle>>;
  using raw = typename std::conditional_t<of_value, typename value_call<F, argument>::result,
                                          std::invoke_result<F, Handle>>::type;
  using stored = std::conditional_t<std::is_lvalue_reference_v<raw> || std::is_void_v<raw>, raw,
                                    std::remove_cv_t<std::remove_reference_t<raw>>>;
  using type = unwrapped_t<stored>;
};

template <class F, class Handle>
concept continues = then_call<std::decay_t<F>, Handle>::possible;

template <class F, class Handle>
using then_result_t = typename then_call<std::decay_t<F>, Handle>::type;

/// For sinks that run tasks in this process.
struct never_remote {
  template <class Continuation>
  static const remote_ops* ops() noexcept {
    return nullptr;
  }
  template <class Continuation>
  static const char* why_not() noexcept {
    return "it continues a task of this process";
  }
};

template <class F, class Handle, class Remote>
class continuation final : public result<then_result_t<F, Handle>>, public callback {
  using call_type = then_call<F, Handle>;
  using source_type = result<typename predecessor<Handle>::value_type>;
  using value_type = typename call_type::type;
  static constexpr bool nested = is_future<typename call_type::stored>;

 public:
  /// With two references: the future's, and that of the predecessor's list of callbacks.
  template <class Function>
  continuation(core_ptr<source_type> source, task_sink* sink, Function&& function)
      : result<value_type>(2),
        callback(kind::call),
        source_(source.get()),
        sink_(sink),
        function_(std::forward<Function>(function)) {
    (void)source.detach();
    if (sink != nullptr) this->set_reports_to(sink->owner());
  }

  ~continuation() override {
    if (function_live_) std::destroy_at(std::addressof(function_));
    if (source_type* source = source_.load(std::memory_order_relaxed)) source->release();
  }

  // --- callback: the predecessor is done, or the future that our function has returned ---
  void fire(core& done) noexcept override {
    core_ptr<core> self(this);
    if (follow_ != nullptr) {
      std::exchange(follow_, nullptr)(*this, done);
      return;
    }
    if (call_type::of_value && word::phase(done.load()) != word::value) {
      if (!this->try_start()) return;
      drop_payload();
      end_as(done);
      return;
    }
    if (this->done()) return;  // cancelled
    if (sink_ == nullptr) {
      if (this->try_start()) execute_in_context(*this);
      return;
    }
    try {
      sink_->enqueue_from_elsewhere(core_ptr<core>(self));  // a copy: what is refused is still ours
    } catch (...) {
      if (!this->try_start()) return;
      drop_payload();
      this->complete_error(std::current_exception());
    }
  }
  void drop() noexcept override { this->release(); }

  // --- core ---
  void execute() noexcept override {
    std::conditional_t<nested, typename call_type::stored, std::monostate> inner;
    std::exception_ptr error;  // as in task::execute()
    try {
      if constexpr (nested) {
        inner = call();
      } else {
        this->emplace_from([this]() -> decltype(auto) { return call(); });
      }
    } catch (...) {
      error = std::current_exception();
    }
    drop_payload();
    if (error != nullptr) {
      this->complete_error(std::move(error));
      return;
    }
    if constexpr (nested) {
      const task_leaver left(*this);
      await(std::move(inner));
    } else if (!this->complete_value()) {
      this->discard();
    }
  }

  void drop_payload() noexcept override {
    function_live_ = false;
    std::destroy_at(std::addressof(function_));
    const core_ptr<source_type> source(source_.exchange(nullptr, std::memory_order_relaxed));
    // Cancelled before its predecessor is done: nothing of us shall stay there.
    if (source && !source->done()) source->detach([this](const callback* c) { return c == this; });
  }

  [[nodiscard]] const remote_ops* remote() const noexcept override {
    return Remote::template ops<continuation>();
  }
  [[nodiscard]] const char* why_not_remote() const noexcept override {
    return Remote::template why_not<continuation>();
  }

  // --- for Remote: the parts of the call ---
  [[nodiscard]] const F& function() const noexcept { return function_; }
  /// The value, which nobody else may have from now on; more than once, if it is sent more than once.
  [[nodiscard]] decltype(auto) value_to_send() {
    if constexpr (is_future<Handle>) {
      if (!std::exchange(value_is_ours_, true) && !source().consume()) throw_consumed();
    }
    return source().get();
  }

 private:
  // By whoever has started us.
  [[nodiscard]] source_type& source() noexcept { return *source_.load(std::memory_order_relaxed); }

  decltype(auto) call() {
    using from = predecessor<Handle>;
    if constexpr (!call_type::of_value) {
      source().add_ref();
      return std::invoke(std::move(function_),
                         access::template make<Handle>(core_ptr<source_type>(&source())));
    } else if constexpr (std::is_void_v<typename from::argument>) {
      from::take(source());
      return std::invoke(std::move(function_));
    } else {
      return std::invoke(std::move(function_), from::take(source()));
    }
  }

  // Ends as `done` has, which has no value.
  void end_as(const core& done) noexcept {
    if (word::phase(done.load()) == word::cancelled) {
      this->complete_cancelled();
    } else {
      this->complete_error(done.error());
    }
  }

  template <class T>
  void await(future<T> inner) noexcept {
    core* c = access::state(inner);
    if (c == nullptr) {
      this->complete_error(std::make_exception_ptr(
          invalid_state_error("tandem: then(): the function has returned a future without a state")));
      return;
    }
    follow_ = &followed<T>;
    this->add_ref();
    if (!c->try_attach(this)) fire_or_put_off(*c, *this);
  }

  template <class T>
  static void followed(continuation& self, core& done) noexcept {
    if (word::phase(done.load()) != word::value) return self.end_as(done);
    try {
      auto& inner = static_cast<result<T>&>(done);
      if (!inner.consume()) throw_consumed();
      if constexpr (is_future<T>) {
        self.await(inner.take());
        return;
      } else if constexpr (std::is_void_v<T>) {
        self.emplace();
      } else if constexpr (std::is_reference_v<T>) {
        self.emplace(inner.take());
      } else {
        self.emplace_from([&inner]() -> T { return inner.take(); });
      }
    } catch (...) {
      self.complete_error(std::current_exception());
      return;
    }
    self.complete_value();
  }

  // The predecessor, a reference to it: of whoever ends the pending phase, who takes it out with the payload.
  std::atomic<source_type*> source_;
  task_sink* const sink_;  // null: runs where the predecessor ends
  void (*follow_)(continuation&,
                  core&) noexcept = nullptr;  // set: what we wait for now is our function's future
  union {
    F function_;
  };
  bool function_live_ = true;
  bool value_is_ours_ = false;
};

/// Attaches a continuation to `source`, or runs it at once if that is done.
template <class Handle, class Remote, class F>
[[nodiscard]] future<then_result_t<F, Handle>> continue_with(
    const core_ptr<result<typename predecessor<Handle>::value_type>>& source, task_sink* sink, F&& f) {
  auto* raw = new continuation<std::decay_t<F>, Handle, Remote>(source, sink, std::forward<F>(f));
  core_ptr<result<then_result_t<F, Handle>>> mine(raw);
  if (!source->try_attach(raw)) fire_or_put_off(*source, *raw);
  return access::template make<future<then_result_t<F, Handle>>>(std::move(mine));
}

/// What `Executor` needs to run a continuation elsewhere; nothing if it does not say.
template <class Executor, class F, class Handle>
struct remote_for {
  using type = never_remote;
};
template <class Executor, class F, class Handle>
  requires requires { typename Executor::template then_remote<F, Handle>; }
struct remote_for<Executor, F, Handle> {
  using type = typename Executor::template then_remote<F, Handle>;
};

}  // namespace detail
}  // namespace tandem

#endif
