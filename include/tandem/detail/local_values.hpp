// What worker_local is made of: values whose type is forgotten, each in a block of its own, and the table that finds the
// calling thread's. The table is in src/worker_local/: oneTBB's headers stay there.
#ifndef TANDEM_DETAIL_LOCAL_VALUES_HPP
#define TANDEM_DETAIL_LOCAL_VALUES_HPP

#include <tandem/config.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace tandem::detail {

/// One thread's value. Cache lines of its own, for its neighbours are other threads'.
class alignas(64) local_value {
 public:
  local_value() = default;
  local_value(const local_value&) = delete;
  local_value& operator=(const local_value&) = delete;
  virtual ~local_value() = default;

 private:
  friend class local_values;
  std::uint64_t thread_ = 0;           // whose it is
  std::unique_ptr<local_value> next_;  // of a thread that has ended and had the same number in the system
};

template <class T>
class local_value_of final : public local_value {
 public:
  // The value is made in its place: T need not be movable.
  template <class Make>
  explicit local_value_of(Make& make) : value(make()) {}
  T value;
};

/// Makes a thread's value; called by several threads at once.
template <class T>
class local_factory {
 public:
  virtual ~local_factory() = default;
  [[nodiscard]] virtual std::unique_ptr<local_value> make() = 0;
  [[nodiscard]] virtual T make_one() = 0;
};

template <class T, class Make>
class local_factory_of final : public local_factory<T> {
 public:
  explicit local_factory_of(Make make) : make_(std::move(make)) {}
  [[nodiscard]] std::unique_ptr<local_value> make() override {
    return std::make_unique<local_value_of<T>>(make_);
  }
  [[nodiscard]] T make_one() override { return make_(); }

 private:
  Make make_;
};

/// The values of all threads.
class TANDEM_API local_values {
 public:
  /// @throws std::bad_alloc
  local_values();
  local_values(const local_values&) = delete;
  local_values& operator=(const local_values&) = delete;
  ~local_values();

  /// The calling thread's; null if it has none. Thread-safe.
  /// @throws std::bad_alloc in a thread's first call
  [[nodiscard]] local_value* find();
  /// Gives the calling thread, which has none, its value. Thread-safe.
  local_value& add(std::unique_ptr<local_value> value);

  // --- not beside any of the others ---
  [[nodiscard]] std::size_t size() const;
  void for_each(void (*call)(local_value&, void*), void* argument);
  void clear() noexcept;

 private:
  struct table;
  const std::unique_ptr<table> table_;
};

}  // namespace tandem::detail

#endif
