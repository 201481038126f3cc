// Function pointers and member function pointers on the wire: names instead of addresses.
#include <tandem/detail/codec_function.hpp>
#include <tandem/error.hpp>

#include <cstdint>
#include <cstring>

namespace tandem::detail {

namespace {

enum class pointer_form : std::uint8_t { null, named, in_vtable };

// A member function pointer by the Itanium C++ ABI, section 2.3: an address, or an offset in the virtual
// table; and what to add to `this`. The mark of the second case is the lowest bit of one of the two.
struct member_function {
  std::uintptr_t pointer;
  std::ptrdiff_t adjustment;
};

#if defined(__arm__) || defined(__aarch64__)
bool is_virtual(const member_function& f) { return (f.adjustment & 1) != 0; }
#else
bool is_virtual(const member_function& f) { return (f.pointer & 1) != 0; }
#endif

bool is_null(const member_function& f) { return f.pointer == 0 && !is_virtual(f); }

void check_size(std::size_t size) {
  if (size != sizeof(member_function)) {
    throw not_portable_error(
        "Member function pointers of this compiler are not understood: send a lambda instead.");
  }
}

void encode_name(writer& out, std::uintptr_t address) {
  const function_name name = name_function(reinterpret_cast<const void*>(address));
  out.write_value(pointer_form::named);
  out.write_value(name.module);
  out.write_value(name.offset);
}

const void* decode_name(reader& in) {
  function_name name;
  name.module = in.read_value<std::uint32_t>();
  name.offset = in.read_value<std::uint64_t>();
  return resolve_function(name, in.peer());
}

}  // namespace

void encode_code_pointer(writer& out, const void* code) {
  if (code == nullptr) {
    out.write_value(pointer_form::null);
  } else {
    encode_name(out, reinterpret_cast<std::uintptr_t>(code));
  }
}

const void* decode_code_pointer(reader& in) {
  const auto form = in.read_value<std::uint8_t>();
  switch (static_cast<pointer_form>(form)) {
    case pointer_form::null:
      return nullptr;
    case pointer_form::named:
      return decode_name(in);
    case pointer_form::in_vtable:
      break;
  }
  throw_bad_byte("a function pointer's form", form);
}

void encode_member_function(writer& out, const void* pointer, std::size_t size) {
  check_size(size);
  member_function f;
  std::memcpy(&f, pointer, sizeof(f));
  if (is_null(f)) {
    out.write_value(pointer_form::null);
  } else if (is_virtual(f)) {
    out.write_value(pointer_form::in_vtable);
    out.write_value(f.pointer);
    out.write_value(f.adjustment);
  } else {
    encode_name(out, f.pointer);
    out.write_value(f.adjustment);
  }
}

void decode_member_function(reader& in, void* pointer, std::size_t size) {
  check_size(size);
  member_function f{};
  const auto form = in.read_value<std::uint8_t>();
  switch (static_cast<pointer_form>(form)) {
    case pointer_form::null:
      return;  // the caller's pointer is null already
    case pointer_form::named:
      f.pointer = reinterpret_cast<std::uintptr_t>(decode_name(in));
      f.adjustment = in.read_value<std::ptrdiff_t>();
      break;
    case pointer_form::in_vtable:
      f.pointer = in.read_value<std::uintptr_t>();
      f.adjustment = in.read_value<std::ptrdiff_t>();
      break;
    default:
      throw_bad_byte("a member function pointer's form", form);
  }
  std::memcpy(pointer, &f, sizeof(f));
}

}  // namespace tandem::detail
