// How an exception crosses a process boundary.
//
// Owns which types arrive as themselves: the standard's, tandem's, and those that the program registers.
// Everything else arrives as remote_error. Must not lose an exception: what cannot be encoded is described.
#ifndef TANDEM_DETAIL_CODEC_EXCEPTION_HPP
#define TANDEM_DETAIL_CODEC_EXCEPTION_HPP

#include <tandem/detail/codec_containers.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace tandem {

/// Appends `error`, which may be null, to `out`. `trace` tells where it was thrown; it arrives as
/// remote_trace().
///
/// Exceptions of the standard library and of tandem keep their type, what() and what is nested in them; so do
/// registered ones. Any other becomes a remote_error with its type's name and what(), and a line in the trace
/// for each nested one. Throws only what the writer throws: std::bad_alloc. Thread-safe.
TANDEM_API void encode_exception(writer& out, const std::exception_ptr& error, std::string_view trace);

/// The same with the writer's own trace.
inline void encode_exception(writer& out, const std::exception_ptr& error) {
  encode_exception(out, error, out.trace());
}

/// Reads what encode_exception wrote. Throws decode_error if it is something else.
///
/// What is rethrown from the result is the exception's type or, to carry the trace, a class derived from it:
/// `catch (const std::out_of_range&)` gets it; `typeid` tells the difference. An exception without a trace
/// has its exact type.
[[nodiscard]] TANDEM_API std::exception_ptr decode_exception(reader& in);

/// Returns where an exception that came from another process was thrown: worker, task, host. Empty for one
/// that did not. Lives as long as the exception.
[[nodiscard]] TANDEM_API std::string_view remote_trace(const std::exception& error) noexcept;

/// The same for an exception that need not be a std::exception; empty for null.
[[nodiscard]] TANDEM_API std::string remote_trace(const std::exception_ptr& error);

namespace detail {

/// Second base of an exception that carries where it was thrown.
class TANDEM_API traced {
 public:
  traced(const traced&) = default;
  traced& operator=(const traced&) = default;
  virtual ~traced();
  [[nodiscard]] const std::string& trace() const noexcept { return trace_; }

 protected:
  explicit traced(std::string trace) : trace_(std::move(trace)) {}

 private:
  std::string trace_;
};

/// An E that knows where it was thrown.
template <class E>
class with_trace : public E, public traced {
 public:
  with_trace(E thrown, std::string trace) : E(std::move(thrown)), traced(std::move(trace)) {}
};

/// How to encode and decode one registered type.
struct exception_ops {
  const std::type_info* type;
  const std::type_info* type_with_trace;  // the same exception, on its second journey
  void (*encode)(writer& out, const std::exception_ptr& error);
  std::exception_ptr (*decode)(reader& in, std::string trace, const std::exception_ptr& nested);
};

TANDEM_API void add_exception(const exception_ops& ops);

/// As std::make_exception_ptr, but what is thrown has `nested` (which may be null) nested in it.
template <class E>
[[nodiscard]] std::exception_ptr make_nested_exception(E error, const std::exception_ptr& nested) {
  if (!nested) return std::make_exception_ptr(std::move(error));
  try {
    std::rethrow_exception(nested);
  } catch (...) {
    try {
      std::throw_with_nested(std::move(error));
    } catch (...) {
      return std::current_exception();
    }
  }
}

template <class E>
[[nodiscard]] std::exception_ptr make_exception(E error, std::string trace,
                                                const std::exception_ptr& nested) {
  if constexpr (std::is_class_v<E> && !std::is_final_v<E>) {
    if (!trace.empty()) {
      return make_nested_exception(with_trace<E>(std::move(error), std::move(trace)), nested);
    }
  }
  return make_nested_exception(std::move(error), nested);
}

template <class E>
struct exception_codec {
  static void encode(writer& out, const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const E& e) {
      codec<E>::encode(out, e);
    }
  }
  static std::exception_ptr decode(reader& in, std::string trace, const std::exception_ptr& nested) {
    return make_exception<E>(codec<E>::decode(in), std::move(trace), nested);
  }
};

template <class E>
constexpr const std::type_info* with_trace_type() {
  if constexpr (std::is_class_v<E> && !std::is_final_v<E>) {
    return &typeid(with_trace<E>);
  } else {
    return &typeid(E);
  }
}

}  // namespace detail

/// Lets exceptions of type E cross process boundaries as themselves. E must be portable and copyable.
///
/// Both sides must know: call it during static initialization or before tandem::init(), as in
/// `const auto registered = (tandem::register_exception<parse_error>(), 0);`. Calling it again does nothing.
/// Thread-safe.
template <class E>
void register_exception() {
  static_assert(std::is_same_v<E, std::remove_cvref_t<E>>);
  detail::require_portable<E>();
  if constexpr (portable<E>) {
    detail::add_exception({&typeid(E), detail::with_trace_type<E>(), &detail::exception_codec<E>::encode,
                           &detail::exception_codec<E>::decode});
  }
}

template <>
struct codec<std::exception_ptr> {
  using parts = detail::types<>;
  static constexpr std::size_t min_size() { return 1; }
  static void encode(writer& out, const std::exception_ptr& error) { encode_exception(out, error); }
  static std::exception_ptr decode(reader& in) { return decode_exception(in); }
};

}  // namespace tandem

#endif  // TANDEM_DETAIL_CODEC_EXCEPTION_HPP
