// What a function is called outside of this process: (module, offset).
//
// Owns the tables: modules of this process, modules of a peer, and the thunks that may be called by name.
// Addresses differ between processes (ASLR); the offset in a module with the same build-id does not.
// src/codec/README.md has the protocol.
#ifndef TANDEM_DETAIL_FUNCTION_NAME_HPP
#define TANDEM_DETAIL_FUNCTION_NAME_HPP

#include <tandem/config.hpp>
#include <tandem/detail/codec_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tandem::detail {

/// How far a remote call has come: an error tells in which phase it happened.
enum class remote_phase : std::uint8_t { decode_arguments, run, encode_result };

/// A thunk: decodes callable and arguments, calls, encodes the result. Keeps `phase` up to date; throws what
/// any of the three throws, and then `out` may hold a part of the result.
using remote_thunk_fn = void (*)(reader& in, writer& out, remote_phase& phase);

/// Where a function lies, in terms of the process that submits it.
struct function_name {
  std::uint32_t module = 0;  ///< Index into that process's module table, which only ever grows.
  std::uint64_t offset = 0;  ///< From the module's base.
  friend bool operator==(const function_name&, const function_name&) = default;
};

/// Returns the name of the function at `code`. Throws not_portable_error if it does not lie in the code of
/// the program or a shared library (generated code, data). Thread-safe. Each thread remembers the
/// function that it has named last; another one costs a search, and much more when a library was loaded since.
[[nodiscard]] TANDEM_API function_name name_function(const void* code);

/// Makes thunks callable by name for as long as it lives. Only ever a static data member of remote_call, so
/// that it is constructed when the program or library is loaded and destroyed when the library is unloaded.
class TANDEM_API thunk_registration {
 public:
  explicit thunk_registration(remote_thunk_fn thunk);
  thunk_registration(const thunk_registration&) = delete;
  thunk_registration& operator=(const thunk_registration&) = delete;
  ~thunk_registration();

 private:
  remote_thunk_fn thunk_;
};

/// True if `thunk` was registered: only then may it be called because somebody named it. Thread-safe, O(1).
[[nodiscard]] TANDEM_API bool is_registered(remote_thunk_fn thunk) noexcept;

/// Appends the module table of this process to `out`: to be sent to a peer before the first name.
TANDEM_API void encode_modules(writer& out);

/// How many modules encode_modules() would write now. Names of modules beyond what a peer was told mean
/// nothing to it.
[[nodiscard]] TANDEM_API std::size_t known_modules();

/// The module table of another process, and which of this process's modules are the same.
/// Thread-safe once constructed.
class TANDEM_API peer_modules {
 public:
  /// Reads what the peer's encode_modules() wrote. Throws decode_error.
  explicit peer_modules(reader& in);
  peer_modules(peer_modules&&) noexcept;
  peer_modules& operator=(peer_modules&&) noexcept;
  ~peer_modules();

  /// Returns the address of a function in this process. Throws not_portable_error that tells why it is not
  /// here: another build-id, a library that is not loaded, an offset outside of the code.
  [[nodiscard]] const void* resolve(function_name name) const;

  /// Says if the program itself is another build than the peer's; empty if not.
  [[nodiscard]] std::string program_mismatch() const;

 private:
  struct implementation;
  std::unique_ptr<implementation> self_;
};

/// Returns the address that `name` has in this process; a null peer means that this process gave the name.
/// Throws not_portable_error.
[[nodiscard]] TANDEM_API const void* resolve_function(function_name name, const peer_modules* peer);

/// Returns the thunk called `name`. Throws not_portable_error if it is not here or is no registered thunk.
[[nodiscard]] TANDEM_API remote_thunk_fn resolve_thunk(function_name name, const peer_modules* peer);

}  // namespace tandem::detail

#endif  // TANDEM_DETAIL_FUNCTION_NAME_HPP
