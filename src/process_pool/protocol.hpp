// What a pool and its fork server say to each other: one message per packet on a SOCK_SEQPACKET pair. Owns the
// messages and their encoding; README.md tells who sends what when.
#ifndef TANDEM_PROCESS_POOL_PROTOCOL_HPP
#define TANDEM_PROCESS_POOL_PROTOCOL_HPP

#include "posix/unique_fd.hpp"

#include "process_pool/conditions.hpp"
#include "process_pool/hook.hpp"

#include <tandem/detail/codec_buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem::process {

inline constexpr std::uint32_t protocol_version = 2;

/// The argument by which init() recognizes that it is not in the user's program: `--tandem-fork-server=7`, the
/// number being the server's end of the socket pair.
inline constexpr char server_argument[] = "--tandem-fork-server=";

/// The same for a worker that is a fresh start of the program (start_method::spawn): see spawned_worker.hpp.
inline constexpr char worker_argument[] = "--tandem-worker=";

/// What all workers of a pool have in common. It goes in a sealed memfd, for it may be of any size.
struct hello {
  std::string modules;  // the pool's module table, encoded
  std::string name_prefix;
  hook initializer;
  hook finalizer;
  std::vector<hook> preloads;  // to be called once before the first worker is made
  bool spawn = false;          // workers are fresh starts of the program, not forks of the server
  conditions rules;
  std::uint32_t depth = 0;  // how many pools lie between the user's first process and these workers
};

/// Descriptors that go with the first message, pool to server, which itself is only there to carry them: the pool's process, and
/// a hello.
enum class hello_fd : std::size_t { pool, greeting, count };
inline constexpr std::byte hello_mark{protocol_version};

/// Later messages, pool to server.
struct command {
  enum class kind : std::uint32_t { start, signal, sweep };  // sweep: at the end, kill whatever is left below
  kind what = kind::start;
  std::uint32_t worker = 0;
  std::int32_t signal = 0;  // to the worker's process group
};
/// Descriptors that go with command::kind::start, in this order.
enum class start_fd : std::size_t { ring, socket, bell, count };

/// Messages, server to pool.
struct report {
  enum class kind : std::uint32_t { preloading, ready, refused, started, start_failed, died };
  kind what = kind::ready;  // preloading: ready will follow, when the user's functions have returned
  std::uint32_t worker = 0;
  std::int32_t pid = 0;
  std::int32_t exit_code = -1;  // died
  std::int32_t signal = 0;      // died
  std::uint64_t peak_rss = 0;   // died: bytes
  std::string text;             // refused, start_failed: why
};

[[nodiscard]] byte_buffer encode(const hello& message);
/// In a sealed memfd. Throws std::system_error.
[[nodiscard]] posix::unique_fd keep_greeting(const hello& config);
/// What is in that. Throws std::system_error, decode_error.
[[nodiscard]] hello read_greeting(int memory);
[[nodiscard]] byte_buffer encode(const command& message);
[[nodiscard]] byte_buffer encode(const report& message);
/// Throw decode_error.
[[nodiscard]] hello decode_hello(reader& in);
[[nodiscard]] command decode_command(reader& in);
[[nodiscard]] report decode_report(reader& in);

/// Worker ids are place + k * max_places: the place gives the name, k the generation.
inline constexpr std::uint32_t max_places = 1U << 16;

/// Largest message. A longer text of a report is cut.
inline constexpr std::size_t max_message = std::size_t{16} * 1024;
inline constexpr std::size_t max_text = max_message / 2;

}  // namespace tandem::process

#endif
