// A function of the user's that other processes call: initializer, finalizer, preload. Owns how it travels and is called.
#ifndef TANDEM_PROCESS_POOL_HOOK_HPP
#define TANDEM_PROCESS_POOL_HOOK_HPP

#include <tandem/detail/function_name.hpp>

#include <string>

namespace tandem {
class worker_hook;
namespace detail {
class peer_modules;
}
}  // namespace tandem

namespace tandem::process {

/// What a worker_hook of the pool's process becomes.
struct hook {
  bool set = false;
  detail::function_name name;
  std::string call;  // encoded
};

[[nodiscard]] hook to_hook(const worker_hook& f);

/// Calls it, in a process whose peer - the pool's process - has `modules`. Nothing if it is not set. Throws what it throws;
/// decode_error.
void call(const hook& h, const detail::peer_modules& modules);

}  // namespace tandem::process

#endif
