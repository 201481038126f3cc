// Calling a hook.
#include "process_pool/hook.hpp"

#include <tandem/codec.hpp>
#include <tandem/worker_hook.hpp>

#include <span>

namespace tandem {

/// The one who may look into a worker_hook.
struct detail::hook_access {
  static process::hook read(const worker_hook& f) { return {f.set_, f.name_, f.call_}; }
};

namespace process {

hook to_hook(const worker_hook& f) { return detail::hook_access::read(f); }

void call(const hook& h, const detail::peer_modules& modules) {
  if (!h.set) return;
  const detail::remote_thunk_fn thunk = detail::resolve_thunk(h.name, &modules);
  reader in(std::as_bytes(std::span(h.call)), &modules);
  writer out;
  detail::remote_phase phase{};
  thunk(in, out, phase);
}

}  // namespace process

}  // namespace tandem
