// Bytes for decode(): the first byte chooses a type, the rest is the message. It decodes or is a decode_error, takes no
// more memory than its bytes justify, and what was decoded can be sent on and is the same then.
#include "allocation.hpp"
#include "codec_types.hpp"
#include "fuzz.hpp"

#include <tandem/error.hpp>

#include <bitset>
#include <chrono>
#include <complex>
#include <deque>
#include <filesystem>
#include <forward_list>
#include <set>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace tandem::fuzz {
namespace {

const auto registered = (register_exception<holder_error>(), 0);

// An optional<item> takes a byte and 140 in memory, containers double, and an error has words.
constexpr std::size_t per_byte = 300;
constexpr std::size_t at_least = 200'000;
// A megabyte of items that take no bytes, in a vector that doubles.
constexpr std::size_t for_empty_items = std::size_t{4} << 20U;

template <class T>
byte_buffer bytes_of(const T& value) {
  writer out;
  encode(out, value);
  return out.take();
}

/// Decodes what was encoded again; a value that was once decoded is not refused.
template <class T>
void send_on(const T& value) {
  const byte_buffer once = bytes_of(value);
  reader in(once.bytes());
  const T again = decode<T>(in);
  in.expect_end();
  require(bytes_of(again).size() == once.size(), "a value that is sent on stays the same");
}

template <class T>
void decode_as(std::span<const std::byte> bytes) {
  const std::size_t before = allocated();
  const auto check = [&] {
    require(allocated() - before <= per_byte * bytes.size() + at_least + for_empty_items,
            "decoding takes no more memory than the bytes justify");
  };
  reader in(bytes);
  try {
    const T value = decode<T>(in);
    check();
    if constexpr (requires { value.weight(); }) static_cast<void>(value.weight());
    send_on(value);
  } catch (const decode_error&) {
    check();
  }
}

using decoder = void (*)(std::span<const std::byte>);

// A corpus refers to them by number: new ones go to the end.
constexpr decoder decoders[] = {
    &decode_as<int>,
    &decode_as<bool>,
    &decode_as<std::string>,
    &decode_as<std::vector<double>>,
    &decode_as<std::vector<std::string>>,
    &decode_as<std::vector<bool>>,
    &decode_as<std::map<std::string, std::vector<int>>>,
    &decode_as<std::unordered_map<int, std::string>>,
    &decode_as<std::set<std::string>>,
    &decode_as<std::unordered_multiset<int>>,
    &decode_as<std::deque<std::list<bool>>>,
    &decode_as<std::forward_list<std::pair<int, std::string>>>,
    &decode_as<std::vector<item>>,
    &decode_as<std::optional<std::variant<int, std::string, color>>>,
    &decode_as<std::tuple<int, bool, std::string>>,
    &decode_as<std::shared_ptr<std::vector<std::unique_ptr<int>>>>,
    &decode_as<std::array<std::string, 3>>,
    &decode_as<std::vector<std::vector<std::vector<int>>>>,
    &decode_as<tree>,
    &decode_as<json>,
    &decode_as<chain>,
    &decode_as<std::exception_ptr>,
    &decode_as<std::vector<detail::outcome<std::string>>>,
    &decode_as<detail::timed_values<detail::outcome<int>>>,
    &decode_as<std::vector<std::vector<std::monostate>>>,
    &decode_as<std::vector<std::optional<std::array<double, 4>>>>,
    &decode_as<std::tuple<std::bitset<11>, std::chrono::seconds, std::complex<float>, std::error_code>>,
    &decode_as<std::vector<std::filesystem::path>>,
    &decode_as<std::u32string>,
    &decode_as<account>,
    &decode_as<accounts>,
    &decode_as<cereal_list>,
    &decode_as<drawing>,
    &decode_as<std::vector<std::shared_ptr<shape>>>,
};

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem::fuzz;
  tandem::reader in(std::as_bytes(std::span(data, size)));
  const unsigned which = choose(in) % std::size(decoders);
  decoders[which](rest(in));
  return 0;
}
