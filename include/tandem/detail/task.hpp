// One submitted call: callable, arguments and result in the shared state's own allocation. The callable and the
// arguments are destroyed as soon as the call has returned or can no longer happen.
#ifndef TANDEM_DETAIL_TASK_HPP
#define TANDEM_DETAIL_TASK_HPP

#include <tandem/detail/remote.hpp>
#include <tandem/detail/result.hpp>
#include <tandem/detail/stop_link.hpp>
#include <tandem/detail/task_call.hpp>
#include <tandem/detail/task_sink.hpp>
#include <tandem/future.hpp>

#include <exception>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tandem::detail {

/// Whether tasks carry what another process needs to run them.
enum class remote_mode {
  never,        // the backend runs in this process: no codec is instantiated
  if_portable,  // through executor&: the backend is known at run time only
  required      // the backend runs elsewhere: what cannot be sent does not compile
};

/// How a finished call's type is stored: no top-level const, no rvalue reference.
template <class T>
using stored_t = std::conditional_t<std::is_lvalue_reference_v<T> || std::is_void_v<T>, T,
                                    std::remove_cv_t<std::remove_reference_t<T>>>;

template <class F, class... Args>
using call_result_t = stored_t<task_call_result_t<F, Args...>>;

/// What the process pool needs to know of a task's type.
struct remote_ops {
  function_name (*name)();  // of the thunk, which in the worker decodes, calls and encodes
  void (*encode)(const core& task, writer& out);  // callable and arguments; the task has been started
  void (*decode)(core& task, reader& in);         // stores the result; complete_value() is the caller's
};

template <remote_mode Mode, class F, class... Args>
class task final : public result<call_result_t<F, Args...>> {
  using result_type = call_result_t<F, Args...>;
  using base = result<result_type>;
  using call = remote_call<F, Args...>;

 public:
  template <class Function, class... Arguments>
  explicit task(int refs, Function&& function, Arguments&&... arguments)
      : base(refs), payload_(std::forward<Function>(function), std::forward<Arguments>(arguments)...) {}

  ~task() override {
    if (payload_live_) std::destroy_at(std::addressof(payload_));
  }

  void execute() noexcept override {
    std::exception_ptr
        error;  // handed over behind the catch block: who gets it may then be the last who has it
    try {
      this->emplace_from([this]() -> decltype(auto) {
        return std::apply(
            [](F& f, Args&... args) -> decltype(auto) {
              return call_in_task(std::move(f), std::move(args)...);
            },
            payload_);
      });
    } catch (...) {
      error = std::current_exception();
    }
    drop_payload();
    if (error != nullptr) {
      this->complete_error(std::move(error));
    } else if (!this->complete_value()) {
      this->discard();
    }
  }

  void drop_payload() noexcept override {
    payload_live_ = false;
    std::destroy_at(std::addressof(payload_));
  }

  [[nodiscard]] const remote_ops* remote() const noexcept override {
    if constexpr (Mode == remote_mode::never) {
      return nullptr;
    } else if constexpr (!call::portable) {
      return nullptr;
    } else {
      static constexpr remote_ops ops{&call::name, &task::encode, &task::decode};
      return &ops;
    }
  }

  [[nodiscard]] const char* why_not_remote() const noexcept override {
    if constexpr (Mode == remote_mode::never) {
      return "it was made by a pool of this process";
    } else {
      return call::why_not();
    }
  }

 private:
  static void encode(const core& self, writer& out) {
    std::apply([&out](const auto&... parts) { call::encode(out, parts...); },
               static_cast<const task&>(self).payload_);
  }

  static void decode(core& self, reader& in) {
    static_cast<task&>(self).emplace_from([&in]() -> result_type { return call::decode_result(in); });
    in.expect_end();  // if it throws, the value goes with the task
  }

  union {
    std::tuple<F, Args...> payload_;
  };
  bool payload_live_ = true;
};

/// A task of the right type, with `refs` references.
template <remote_mode Mode, class F, class... Args>
[[nodiscard]] auto* new_task(int refs, F&& f, Args&&... args) {
  return new task<Mode, std::decay_t<F>, std::decay_t<Args>...>(refs, std::forward<F>(f),
                                                                std::forward<Args>(args)...);
}

/// Gives a new task its options and hands it over by `enqueue`. A token that is linked to it is let go if it is refused.
template <class Enqueue>
void send(std::unique_ptr<task_options> options, core_ptr<core> task, Enqueue enqueue) {
  if (options == nullptr) return enqueue(std::move(task));
  std::stop_token token = std::exchange(options->stop_token, {});
  task->set_options(std::move(options));
  if (!token.stop_possible()) return enqueue(std::move(task));
  link_stop(*task, std::move(token));
  try {
    enqueue(core_ptr<core>(task));
  } catch (...) {
    task->cancel_pending();
    throw;
  }
}

inline void send_to(task_sink& sink, std::unique_ptr<task_options> options, core_ptr<core> task) {
  send(std::move(options), std::move(task),
       [&sink](core_ptr<core> ready) { sink.enqueue(std::move(ready)); });
}

/// Sends a task with a future to `sink`.
template <remote_mode Mode, class F, class... Args>
[[nodiscard]] auto submit_to(task_sink& sink, std::unique_ptr<task_options> options, F&& f, Args&&... args) {
  using value_type = call_result_t<std::decay_t<F>, std::decay_t<Args>...>;
  auto* raw = new_task<Mode>(2, std::forward<F>(f), std::forward<Args>(args)...);
  core_ptr<result<value_type>> mine(raw);
  send_to(sink, std::move(options), core_ptr<core>(raw));
  return access::make_future<value_type>(std::move(mine));
}

/// Sends a task without a future to `sink`; what it throws goes to the pool's error handler.
template <remote_mode Mode, class F, class... Args>
void post_to(task_sink& sink, std::unique_ptr<task_options> options, F&& f, Args&&... args) {
  auto* raw = new_task<Mode>(1, std::forward<F>(f), std::forward<Args>(args)...);
  core_ptr<core> task(raw);
  raw->set_detached();
  send_to(sink, std::move(options), std::move(task));
}

}  // namespace tandem::detail

#endif
