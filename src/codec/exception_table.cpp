// Which exception types cross as themselves, and how each is taken apart and put together again.
#include "codec/exception_table.hpp"

#include <tandem/detail/codec_std.hpp>
#include <tandem/error.hpp>

#include <any>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <mutex>
#include <new>
#include <optional>
#include <regex>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <variant>

namespace tandem::detail {

namespace {

/// An E whose what() is not the one that its constructor makes.
template <class E>
class with_words : public E {
 public:
  with_words(E thrown, std::string words) : E(std::move(thrown)), words_(std::move(words)) {}
  [[nodiscard]] const char* what() const noexcept override { return words_.c_str(); }

 private:
  std::string words_;
};

/// The exception, with the what() that it had.
template <class E>
std::exception_ptr finish(E error, std::string what, std::string trace, const std::exception_ptr& nested) {
  if (what == error.what()) return make_exception(std::move(error), std::move(trace), nested);
  return make_exception(with_words<E>(std::move(error), std::move(what)), std::move(trace), nested);
}

// How the parts of an E are sent, apart from its what(); and how they and the what() make an E.

template <class E>
struct parts_of {
  static void encode(writer&, const E&) {}
  static E make(reader&, [[maybe_unused]] const std::string& what) {
    if constexpr (std::is_constructible_v<E, const std::string&>) {
      return E(what);
    } else {
      return E();
    }
  }
};

/// The text given to the constructor of a system_error or a class derived from it, which appends the code's
/// message.
std::string text_before_message(const std::string& what, const std::error_code& code) {
  const std::string tail = ": " + code.message();
  return what.ends_with(tail) ? what.substr(0, what.size() - tail.size()) : what;
}

template <>
struct parts_of<std::system_error> {
  static void encode(writer& out, const std::system_error& error) {
    codec<std::error_code>::encode(out, error.code());
  }
  static std::system_error make(reader& in, const std::string& what) {
    const auto code = codec<std::error_code>::decode(in);
    if (what == code.message()) return std::system_error(code);
    return {code, text_before_message(what, code)};
  }
};

template <>
struct parts_of<std::ios_base::failure> {
  static void encode(writer& out, const std::ios_base::failure& error) {
    codec<std::error_code>::encode(out, error.code());
  }
  static std::ios_base::failure make(reader& in, const std::string& what) {
    const auto code = codec<std::error_code>::decode(in);
    return std::ios_base::failure(text_before_message(what, code), code);
  }
};

template <>
struct parts_of<std::filesystem::filesystem_error> {
  using error_type = std::filesystem::filesystem_error;
  static void encode(writer& out, const error_type& error) {
    codec<std::error_code>::encode(out, error.code());
    // Without the words that filesystem_error puts around it.
    codec<std::string>::encode(out, text_before_message(error.std::system_error::what(), error.code()));
    codec<std::filesystem::path>::encode(out, error.path1());
    codec<std::filesystem::path>::encode(out, error.path2());
  }
  static error_type make(reader& in, const std::string&) {
    const auto code = codec<std::error_code>::decode(in);
    const auto text = codec<std::string>::decode(in);
    const auto path1 = codec<std::filesystem::path>::decode(in);
    const auto path2 = codec<std::filesystem::path>::decode(in);
    if (path1.empty() && path2.empty()) return error_type(text, code);
    if (path2.empty()) return error_type(text, path1, code);
    return error_type(text, path1, path2, code);
  }
};

template <>
struct parts_of<std::future_error> {
  static void encode(writer& out, const std::future_error& error) { out.write_value(error.code().value()); }
  static std::future_error make(reader& in, const std::string&) {
    return std::future_error(static_cast<std::future_errc>(in.read_value<int>()));
  }
};

template <>
struct parts_of<std::regex_error> {
  static void encode(writer& out, const std::regex_error& error) {
    out.write_value(static_cast<int>(error.code()));
  }
  static std::regex_error make(reader& in, const std::string&) {
    return std::regex_error(static_cast<std::regex_constants::error_type>(in.read_value<int>()));
  }
};

template <>
struct parts_of<worker_died_error> {
  static void encode(writer& out, const worker_died_error& error) {
    const worker_death& death = error.death();
    out.write_value(death.pid);
    out.write_value(death.signal);
    out.write_value(death.exit_code);
    codec<worker_phase>::encode(out, death.phase);
    codec<std::string>::encode(out, death.task);
    out.write_value(death.attempt);
    codec<bool>::encode(out, death.killed_by_pool);
    out.write_value(death.peak_memory);
    codec<std::vector<std::string>>::encode(out, death.stack);
  }
  static worker_died_error make(reader& in, const std::string& what) {
    worker_death death;
    death.pid = in.read_value<int>();
    death.signal = in.read_value<int>();
    death.exit_code = in.read_value<int>();
    death.phase = codec<worker_phase>::decode(in);
    death.task = codec<std::string>::decode(in);
    death.attempt = in.read_value<int>();
    death.killed_by_pool = codec<bool>::decode(in);
    death.peak_memory = in.read_value<std::size_t>();
    death.stack = codec<std::vector<std::string>>::decode(in);
    return {what, std::move(death)};
  }
};

template <class E>
void encode_known(writer& out, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const E& e) {
    codec<std::string>::encode(out, e.what());
    parts_of<E>::encode(out, e);
  }
}

template <class E>
std::exception_ptr decode_known(reader& in, std::string trace, const std::exception_ptr& nested) {
  std::string what = codec<std::string>::decode(in);
  E error = parts_of<E>::make(in, what);
  return finish(std::move(error), std::move(what), std::move(trace), nested);
}

void encode_remote(writer& out, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const remote_error& e) {
    codec<std::string>::encode(out, e.what());
    codec<std::string>::encode(out, e.type_name());
  }
}

std::exception_ptr decode_remote(reader& in, std::string trace, const std::exception_ptr& nested) {
  const std::string what = codec<std::string>::decode(in);
  std::string type_name = codec<std::string>::decode(in);
  return make_exception(remote_error(what, std::move(type_name), std::move(trace)), {}, nested);
}

class table {
 public:
  table() {
    add_known<std::exception, std::logic_error, std::invalid_argument, std::domain_error, std::length_error,
              std::out_of_range, std::runtime_error, std::range_error, std::overflow_error,
              std::underflow_error, std::bad_exception, std::bad_alloc, std::bad_array_new_length,
              std::bad_cast, std::bad_typeid, std::bad_function_call, std::bad_weak_ptr, std::bad_any_cast,
              std::bad_optional_access, std::bad_variant_access, std::system_error,
              std::filesystem::filesystem_error, std::future_error, std::regex_error,
              std::ios_base::failure>();
    add_known<error, cancelled_error, timeout_error, shutdown_error, broken_pool_error, worker_died_error,
              not_portable_error, decode_error, queue_full_error, invalid_state_error, start_error>();
    // libstdc++ throws a class of its own that both of its ABIs can catch as ios_base::failure.
    by_name_.emplace("St13__ios_failure", by_name_.at(typeid(std::ios_base::failure).name()));
    by_name_.emplace(typeid(remote_error).name(),
                     exception_entry{typeid(remote_error).name(), &encode_remote, &decode_remote});
  }

  void add(const exception_ops& ops) {
    const exception_entry entry{ops.type->name(), ops.encode, ops.decode};
    const std::lock_guard lock(mutex_);
    // The first registration stays: the built-in types are not for redefining.
    by_name_.emplace(entry.name, entry);
    by_name_.emplace(ops.type_with_trace->name(), entry);
  }

  [[nodiscard]] std::optional<exception_entry> find(std::string_view type_name) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_name_.find(type_name);
    if (found == by_name_.end()) return std::nullopt;
    return found->second;
  }

 private:
  template <class... Errors>
  void add_known() {
    (add_one<Errors>(), ...);
  }
  template <class E>
  void add_one() {
    const exception_entry entry{typeid(E).name(), &encode_known<E>, &decode_known<E>};
    for (const std::type_info* variety :
         {&typeid(E), &typeid(with_words<E>), &typeid(with_trace<E>), &typeid(with_trace<with_words<E>>)}) {
      by_name_.emplace(variety->name(), entry);
    }
  }

  mutable std::shared_mutex mutex_;  // guards by_name_
  std::unordered_map<std::string_view, exception_entry> by_name_;
};

// Never destroyed: exceptions are encoded until the last thread is gone.
table& the_table() {
  static auto* const instance = new table;
  return *instance;
}

}  // namespace

traced::~traced() = default;

void add_exception(const exception_ops& ops) { the_table().add(ops); }

std::optional<exception_entry> find_exception(std::string_view type_name) {
  return the_table().find(type_name);
}

}  // namespace tandem::detail
