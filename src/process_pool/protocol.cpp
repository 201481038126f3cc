// Encoding of the messages between pool and fork server.
#include "process_pool/protocol.hpp"

#include "posix/mapped.hpp"
#include "posix/memfd.hpp"

#include <tandem/codec.hpp>
#include <tandem/error.hpp>

namespace tandem::process {

namespace {

void put(writer& out, const hook& h) {
  out.write_value(static_cast<std::uint8_t>(h.set));
  out.write_value(h.name.module);
  out.write_value(h.name.offset);
  codec<std::string>::encode(out, h.call);
}

hook take_hook(reader& in) {
  hook h;
  h.set = in.read_value<std::uint8_t>() != 0;
  h.name.module = in.read_value<std::uint32_t>();
  h.name.offset = in.read_value<std::uint64_t>();
  h.call = codec<std::string>::decode(in);
  return h;
}

template <class Kind>
Kind take_kind(reader& in, Kind last) {
  const auto value = in.read_value<std::uint32_t>();
  if (value > static_cast<std::uint32_t>(last))
    throw decode_error("tandem: a message of unknown kind between pool and fork server");
  return static_cast<Kind>(value);
}

}  // namespace

byte_buffer encode(const hello& m) {
  writer out;
  out.write_value(protocol_version);
  codec<std::string>::encode(out, m.modules);
  codec<std::string>::encode(out, m.name_prefix);
  put(out, m.initializer);
  put(out, m.finalizer);
  out.write_value(static_cast<std::uint32_t>(m.preloads.size()));
  for (const hook& each : m.preloads) put(out, each);
  out.write_value(static_cast<std::uint8_t>(m.spawn));
  codec<conditions>::encode(out, m.rules);
  out.write_value(m.depth);
  return out.take();
}

hello decode_hello(reader& in) {
  const auto version = in.read_value<std::uint32_t>();
  if (version != protocol_version) {
    throw decode_error("tandem: the program speaks version " + std::to_string(protocol_version) +
                       " of the pool protocol, its pool version " + std::to_string(version) +
                       ": the program on disk was replaced while it ran; restart it");
  }
  hello m;
  m.modules = codec<std::string>::decode(in);
  m.name_prefix = codec<std::string>::decode(in);
  m.initializer = take_hook(in);
  m.finalizer = take_hook(in);
  const auto preloads = in.read_value<std::uint32_t>();
  for (std::uint32_t i = 0; i < preloads; ++i) m.preloads.push_back(take_hook(in));
  m.spawn = in.read_value<std::uint8_t>() != 0;
  m.rules = codec<conditions>::decode(in);
  m.depth = in.read_value<std::uint32_t>();
  in.expect_end();
  return m;
}

posix::unique_fd keep_greeting(const hello& config) {
  const byte_buffer bytes = encode(config);
  posix::unique_fd memory = posix::create_memfd("tandem-greeting", bytes.bytes().size());
  posix::pwrite_all(memory.get(), bytes.bytes(), 0);
  posix::seal(memory.get(),
              posix::seals::shrink | posix::seals::grow | posix::seals::write | posix::seals::seal);
  return memory;
}

hello read_greeting(int memory) {
  const posix::mapping greeting = posix::mapping::sealed(memory);
  reader in(greeting.bytes());
  return decode_hello(in);
}

byte_buffer encode(const command& m) {
  writer out;
  out.write_value(static_cast<std::uint32_t>(m.what));
  out.write_value(m.worker);
  out.write_value(m.signal);
  return out.take();
}

command decode_command(reader& in) {
  command m;
  m.what = take_kind(in, command::kind::sweep);
  m.worker = in.read_value<std::uint32_t>();
  m.signal = in.read_value<std::int32_t>();
  in.expect_end();
  return m;
}

byte_buffer encode(const report& m) {
  writer out;
  out.write_value(static_cast<std::uint32_t>(m.what));
  out.write_value(m.worker);
  out.write_value(m.pid);
  out.write_value(m.exit_code);
  out.write_value(m.signal);
  out.write_value(m.peak_rss);
  codec<std::string>::encode(out, m.text.size() <= max_text ? m.text : m.text.substr(0, max_text) + " ...");
  return out.take();
}

report decode_report(reader& in) {
  report m;
  m.what = take_kind(in, report::kind::died);
  m.worker = in.read_value<std::uint32_t>();
  m.pid = in.read_value<std::int32_t>();
  m.exit_code = in.read_value<std::int32_t>();
  m.signal = in.read_value<std::int32_t>();
  m.peak_rss = in.read_value<std::uint64_t>();
  m.text = codec<std::string>::decode(in);
  in.expect_end();
  return m;
}

}  // namespace tandem::process
