// Collects what fork servers shall load.
#include <tandem/preload.hpp>

#include "process_pool/preload.hpp"

#include <mutex>
#include <stdexcept>
#include <utility>

namespace tandem {

namespace process {

namespace {

struct registry {
  std::mutex mutex;  // guards hooks
  std::vector<hook> hooks;

  // Never destroyed: a static pool may be made after it, and last longer.
  static registry& instance() {
    static auto* const only = new registry;
    return *only;
  }
};

}  // namespace

std::vector<hook> preloads() {
  registry& all = registry::instance();
  const std::lock_guard held(all.mutex);
  return all.hooks;
}

}  // namespace process

void preload(const worker_hook& f) {
  if (!f) throw std::invalid_argument("tandem: preload: there is no function in the hook that it was given");
  process::hook made = process::to_hook(f);
  process::registry& all = process::registry::instance();
  const std::lock_guard held(all.mutex);
  all.hooks.push_back(std::move(made));
}

}  // namespace tandem
