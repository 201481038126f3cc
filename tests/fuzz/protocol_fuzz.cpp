// Bytes for what pool and fork server say to each other, and for a worker's modules and failure: the first byte chooses
// the message. It decodes or is an error of the documented kinds; what was decoded encodes to the same bytes.
#include "fuzz.hpp"

#include "process_pool/protocol.hpp"

#include <tandem/detail/codec_function.hpp>
#include <tandem/error.hpp>

#include <algorithm>
#include <memory>

namespace tandem::fuzz {
namespace {

template <class Message>
void check_message(std::span<const std::byte> bytes, Message (*decode_it)(reader&)) {
  reader in(bytes);
  const Message message = decode_it(in);
  const byte_buffer again = process::encode(message);
  reader second(again.bytes());
  const byte_buffer third = process::encode(decode_it(second));
  require(std::ranges::equal(again.bytes(), third.bytes()), "a message that is sent on stays the same");
}

/// A greeting with modules, and behind it names of functions in them.
void check_names(std::span<const std::byte> bytes) {
  reader in(bytes);
  const detail::peer_modules peer(in);
  reader names(rest(in), &peer);
  while (names.remaining() != 0) {
    const void* const code = detail::decode_code_pointer(names);
    if (code != nullptr) static_cast<void>(detail::name_function(code));  // lies in one of our modules
  }
}

void check_thunk(std::span<const std::byte> bytes) {
  reader in(bytes);
  detail::function_name name;
  name.module = in.read_value<std::uint32_t>();
  name.offset = in.read_value<std::uint64_t>();
  require(detail::is_registered(detail::resolve_thunk(name, nullptr)), "no thunk is made up");
}

void check(unsigned which, std::span<const std::byte> bytes) {
  switch (which % 5) {
    case 0:
      return check_message(bytes, &process::decode_hello);
    case 1:
      return check_message(bytes, &process::decode_command);
    case 2:
      return check_message(bytes, &process::decode_report);
    case 3:
      return check_names(bytes);
    default:
      return check_thunk(bytes);
  }
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem::fuzz;
  tandem::reader in(std::as_bytes(std::span(data, size)));
  const unsigned which = choose(in);
  try {
    check(which, rest(in));
  } catch (const tandem::error&) {
    // decode_error; a function of another build is refused with not_portable_error or start_error.
  }
  return 0;
}
