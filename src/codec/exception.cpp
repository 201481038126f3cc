// Takes an exception apart for its journey to another process, and throws it again there.
//
// On the wire: a form byte; then for `known` the type's name, the trace, the length of the parts, the parts
// and what is nested; for `other` the description that becomes a remote_error.
#include <tandem/codec.hpp>
#include <tandem/error.hpp>

#include <cxxabi.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <typeinfo>

#include "codec/exception_table.hpp"
#include "codec/type_names.hpp"

namespace tandem {

namespace detail {

namespace {

enum class form : std::uint8_t { null, known, other };

constexpr std::uint32_t max_nested = 32;  // of a chain of nested exceptions; what is deeper is left out

/// What can be told of any exception.
struct description {
  const std::type_info* type = &typeid(void);  // without what std::throw_with_nested adds
  std::string what;
  std::string trace;
  std::exception_ptr nested;  // by std::throw_with_nested
};

template <class T>
std::string non_standard(const T& value) {
  std::string text = "an exception that is no std::exception was thrown";
  if constexpr (std::is_arithmetic_v<T>) {
    text += ": " + std::to_string(value);
  } else {
    text += ": ";
    text += value;
  }
  return text;
}

/// What is nested in the exception that is being handled; null if nothing is.
std::exception_ptr nested_of_current() {
  try {
    throw;
  } catch (const std::nested_exception& nested) {
    return nested.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

description describe(const std::exception_ptr& error) {
  description found;
  try {
    std::rethrow_exception(error);
  } catch (...) {
    if (const std::type_info* type = abi::__cxa_current_exception_type())
      found.type = &without_nesting(*type);
    found.nested = nested_of_current();
    try {
      throw;
    } catch (const std::exception& e) {
      found.what = e.what();
      found.trace = remote_trace(e);
    } catch (const char* text) {
      found.what = text == nullptr ? non_standard("null") : non_standard(text);
    } catch (const std::string& text) {
      found.what = non_standard(text);
    } catch (int value) {
      found.what = non_standard(value);
    } catch (const traced& t) {
      found.what = non_standard("");
      found.trace = t.trace();
    } catch (...) {
      found.what = "an exception that is no std::exception was thrown";
    }
  }
  return found;
}

/// "inner; outer" for an exception that comes from further away.
std::string join_traces(const std::string& inner, std::string_view outer) {
  if (inner.empty()) return std::string(outer);
  if (outer.empty()) return inner;
  return inner + "\n  by way of " + std::string(outer);
}

/// One line for each nested exception.
std::string nested_lines(std::exception_ptr nested) {
  std::string lines;
  for (std::uint32_t i = 0; nested && i != max_nested; ++i) {
    description inner = describe(nested);
    lines += "\n  caused by " + demangle(inner.type->name()) + ": " + inner.what;
    nested = std::move(inner.nested);
  }
  return lines;
}

void encode_at_depth(writer& out, const std::exception_ptr& error, std::string_view trace,
                     std::uint32_t depth);

void encode_other(writer& out, const description& found, const std::string& trace) {
  out.write_value(form::other);
  codec<std::string>::encode(out, demangle(found.type->name()));
  codec<std::string>::encode(out, found.what);
  codec<std::string>::encode(out, trace + nested_lines(found.nested));
}

/// False, and nothing written, if the parts cannot be encoded: a codec threw.
bool encode_known(writer& out, const exception_entry& entry, const std::exception_ptr& error,
                  const description& found, const std::string& trace, std::uint32_t depth) {
  const std::size_t begin = out.size();
  try {
    out.write_value(form::known);
    codec<std::string>::encode(out, std::string(entry.name));
    codec<std::string>::encode(out, demangle(entry.name.data()));
    codec<std::string>::encode(out, found.what);
    codec<std::string>::encode(out, trace);
    const std::size_t length_at = out.size();
    out.write_size(0);
    entry.encode(out, error);
    const std::uint64_t length = out.size() - length_at - sizeof(std::uint64_t);
    out.overwrite(length_at, &length, sizeof(length));
    encode_at_depth(out, depth < max_nested ? found.nested : nullptr, {}, depth + 1);
    return true;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {
    out.truncate(begin);
    return false;
  }
}

void encode_at_depth(writer& out, const std::exception_ptr& error, std::string_view outer_trace,
                     std::uint32_t depth) {
  if (!error) {
    out.write_value(form::null);
    return;
  }
  const nesting<writer> level(out);
  const description found = describe(error);
  const std::string trace = join_traces(found.trace, outer_trace);
  const auto entry = find_exception(found.type->name());
  if (!entry || !encode_known(out, *entry, error, found, trace, depth)) encode_other(out, found, trace);
}

std::exception_ptr decode_at_depth(reader& in, std::uint32_t depth);

std::exception_ptr decode_known(reader& in, std::uint32_t depth) {
  const std::string name = codec<std::string>::decode(in);
  std::string readable = codec<std::string>::decode(in);
  const std::string what = codec<std::string>::decode(in);
  std::string trace = codec<std::string>::decode(in);
  reader parts = in.take_part(in.read_count(1));
  const std::exception_ptr nested = decode_at_depth(in, depth + 1);
  const auto entry = find_exception(name);
  // Registered over there, but not here.
  if (!entry) return std::make_exception_ptr(remote_error(what, std::move(readable), std::move(trace)));
  std::exception_ptr error = entry->decode(parts, std::move(trace), nested);
  parts.expect_end();
  return error;
}

std::exception_ptr decode_at_depth(reader& in, std::uint32_t depth) {
  if (depth > max_nested) throw_nested_too_deep(false);
  const nesting<reader> level(in);  // a registered exception may have an exception_ptr for a member
  const auto found = in.read_value<std::uint8_t>();
  switch (static_cast<form>(found)) {
    case form::null:
      return nullptr;
    case form::known:
      return decode_known(in, depth);
    case form::other: {
      std::string type_name = codec<std::string>::decode(in);
      const std::string what = codec<std::string>::decode(in);
      std::string trace = codec<std::string>::decode(in);
      return std::make_exception_ptr(remote_error(what, std::move(type_name), std::move(trace)));
    }
  }
  throw_bad_byte("the form of an exception", found);
}

}  // namespace
}  // namespace detail

void encode_exception(writer& out, const std::exception_ptr& error, std::string_view trace) {
  detail::encode_at_depth(out, error, trace, 0);
}

std::exception_ptr decode_exception(reader& in) { return detail::decode_at_depth(in, 0); }

std::string_view remote_trace(const std::exception& error) noexcept {
  if (const auto* remote = dynamic_cast<const remote_error*>(&error)) return remote->trace();
  if (const auto* traced = dynamic_cast<const detail::traced*>(&error)) return traced->trace();
  return {};
}

std::string remote_trace(const std::exception_ptr& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return std::string(remote_trace(e));
  } catch (const detail::traced& e) {
    return e.trace();
  } catch (...) {
    return {};
  }
}

}  // namespace tandem
