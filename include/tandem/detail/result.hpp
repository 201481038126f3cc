// A core with room for one result: value, reference or nothing. Written once between start and completion, read
// only after core::done().
#ifndef TANDEM_DETAIL_RESULT_HPP
#define TANDEM_DETAIL_RESULT_HPP

#include <tandem/detail/core.hpp>
#include <tandem/error.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace tandem::detail {

template <class T>
class result : public core {
 public:
  template <class... Args>
  void emplace(Args&&... args) {
    ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<Args>(args)...);
    live_ = true;
  }
  /// Constructs the value in place from what the function returns: no move.
  template <class Function>
  void emplace_from(Function&& function) {
    ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<Function>(function)());
    live_ = true;
  }
  [[nodiscard]] T& get() noexcept { return value_; }
  /// Moves the value out and destroys what is left of it.
  [[nodiscard]] T take() {
    struct destroyer {
      result* self;
      ~destroyer() { self->destroy(); }
    };
    const destroyer guard{this};
    return std::move(value_);
  }

 protected:
  explicit result(int refs) noexcept : core(refs) {}
  ~result() override { destroy(); }
  /// Of a value that came too late: nobody may get it.
  void discard() noexcept { destroy(); }

 private:
  void destroy() noexcept {
    if (std::exchange(live_, false)) std::destroy_at(std::addressof(value_));
  }

  union {
    T value_;
  };
  bool live_ = false;
};

template <class T>
class result<T&> : public core {
 public:
  void emplace(T& value) noexcept { value_ = std::addressof(value); }
  template <class Function>
  void emplace_from(Function&& function) {
    value_ = std::addressof(std::forward<Function>(function)());
  }
  [[nodiscard]] T& get() noexcept { return *value_; }
  [[nodiscard]] T& take() noexcept { return *value_; }

 protected:
  explicit result(int refs) noexcept : core(refs) {}
  void discard() noexcept {}

 private:
  T* value_ = nullptr;
};

template <>
class result<void> : public core {
 public:
  void emplace() noexcept {}
  template <class Function>
  void emplace_from(Function&& function) {
    std::forward<Function>(function)();
  }
  void get() noexcept {}
  void take() noexcept {}

 protected:
  explicit result(int refs) noexcept : core(refs) {}
  void discard() noexcept {}
};

/// The shared state behind a promise: a result and no callable.
template <class T>
class promised final : public result<T> {
 public:
  promised() noexcept : result<T>(1) {}
  void execute() noexcept override {}
  void drop_payload() noexcept override {}
};

/// A callback made of a function object; deletes itself.
template <class Function>
class function_callback final : public callback {
 public:
  explicit function_callback(Function function) : callback(kind::call), function_(std::move(function)) {}
  void fire(core& done) noexcept override {
    const std::unique_ptr<function_callback> self(this);
    function_(done);
  }
  void drop() noexcept override { delete this; }

 private:
  Function function_;
};

}  // namespace tandem::detail

#endif
